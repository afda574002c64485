// SPDX-License-Identifier: GPL-2.0-or-later
/* Lines of RFC 5424: exact, parsed back, and unbreakable by what a process can choose. */
#include "sinks/rfc5424.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "unit/alert_sample.h"
#include "unit/syslog_parse.h"

static const struct syslog_ident ident = {"keytrail@32473", 815};

static void set_tz(const char *tz)
{
	setenv("TZ", tz, 1);
	tzset();
}

static size_t format(const struct alert *alert, char *line)
{
	long n = rfc5424_format(alert, &ident, line);

	assert_in_range(n, 1, SYSLOG_LINE_MAX);
	return n;
}

static void full_alert_gives_this_line(void **state)
{
	static const char expected[] =
		"<83>1 2025-01-09T12:34:56.123456+00:00 web1 keytraild 815 key-read "
		"[keytrail@32473 id=\"00112233445566778899aabbccddeeff\" type=\"key-read\" "
		"severity=\"high\" time=\"2025-01-09T12:34:56.123456+00:00\" "
		"evidence=\"observed\" attack=\"T1552.004\" pid=\"4242\" exe=\"/usr/bin/cat\" "
		"exe_trust=\"verified\" uid=\"1000\" user=\"ann\" loginuid=\"1000\" "
		"login_user=\"ann\" session=\"7\" unit=\"session-7.scope\" "
		"args=\"cat /home/ann/.ssh/id_ed25519\" path=\"/home/ann/.ssh/id_ed25519\" "
		"class=\"ssh-user-key\" watch=\"ssh-user-keys\" owner=\"1000\" owner_user=\"ann\" "
		"how=\"open\" mode=\"read\" key_type=\"ED25519\" key_bits=\"256\" "
		"key_format=\"openssh\" key_encrypted=\"0\" key_source=\"file\" "
		"key_fingerprint=\"SHA256:0123456789abcdefghijABCDEFGHIJ0123456789abc\" "
		"key_spki_sha256="
		"\"abababababababababababababababababababababababababababababababab\" "
		"key_comment=\"ann@laptop\" rule=\"no rule allows /usr/bin/cat\" ancestors=\"3\" "
		"ancestry_complete=\"1\" p1_pid=\"4200\" p1_exe=\"/usr/bin/bash\" p1_user=\"ann\" "
		"p1_args=\"-bash\" p2_pid=\"4100\" p2_exe=\"/usr/sbin/sshd\" p2_user=\"root\" "
		"p2_args=\"sshd: ann [priv\\]\" p3_pid=\"1\" p3_exe=\"/usr/lib/systemd/systemd\" "
		"p3_user=\"root\"] cat, started by ann, opened ann's SSH user key";
	char line[SYSLOG_LINE_MAX + 1];
	struct alert_sample s;
	size_t n;

	set_tz("UTC");
	alert_sample_init(&s);
	n = format(&s.alert, line);
	line[n] = '\0';
	assert_string_equal(line, expected);
}

static void a_heartbeat_carries_the_head_of_the_log(void **state)
{
	struct heartbeat beat = {
		.time_ns = 1736426096123456789,
		.host = "web1",
		.alerts = 3,
		.chain_seq = 5321,
		.chain_head = "ab03",
		.fault = "",
	};
	char line[SYSLOG_LINE_MAX + 1];
	long n;

	set_tz("UTC");
	n = rfc5424_heartbeat(&beat, &ident, line);
	line[n] = '\0';
	assert_string_equal(line,
			    "<86>1 2025-01-09T12:34:56.123456+00:00 web1 keytraild 815 heartbeat "
			    "[keytrail@32473 type=\"heartbeat\" "
			    "time=\"2025-01-09T12:34:56.123456+00:00\" alerts=\"3\" "
			    "chain_seq=\"5321\" chain_head=\"ab03\"] keytraild watches; its "
			    "evidence log ends with record 5321");
	beat.chain_seq = 0;
	beat.fault = "cannot be written";
	n = rfc5424_heartbeat(&beat, &ident, line);
	line[n] = '\0';
	assert_non_null(
		strstr(line, " fault=\"cannot be written\"] keytraild watches; it has no "));
	assert_null(strstr(line, "chain_"));
}

static void time_carries_the_offset_of_the_zone(void **state)
{
	static const struct {
		const char *tz, *expected;
	} rows[] = {
		{"UTC", "2025-01-09T12:34:56.123456+00:00"},
		{"XXX-05:30", "2025-01-09T18:04:56.123456+05:30"},
		{"XXX+03:30", "2025-01-09T09:04:56.123456-03:30"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char line[SYSLOG_LINE_MAX];
		struct alert_sample s;
		struct parsed p;

		set_tz(rows[i].tz);
		alert_sample_init(&s);
		assert_true(parse_rfc5424(line, format(&s.alert, line), &p));
		assert_string_equal(p.time, rows[i].expected);
		parsed_fini(&p);
	}
	set_tz("UTC");
}

static void severity_becomes_pri(void **state)
{
	static const struct {
		enum severity severity;
		unsigned expected;
	} rows[] = {{SEV_INFO, 6}, {SEV_LOW, 5}, {SEV_MEDIUM, 4}, {SEV_HIGH, 3}, {SEV_CRITICAL, 2}};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char line[SYSLOG_LINE_MAX];
		struct alert_sample s;
		struct parsed p;

		alert_sample_init(&s);
		s.alert.severity = rows[i].severity;
		assert_true(parse_rfc5424(line, format(&s.alert, line), &p));
		assert_int_equal(p.facility, 10);
		assert_int_equal(p.severity, rows[i].expected);
		parsed_fini(&p);
	}
}

static void new_names_and_destinations_are_told(void **state)
{
	char line[SYSLOG_LINE_MAX];
	struct alert_sample s;
	struct parsed p;

	alert_sample_init(&s);
	s.alert.type = ALERT_OBJECT_LINKED;
	s.alert.how = ACCESS_RENAME;
	s.alert.new_path = SAMPLE_STR("/tmp/x] y=\"1\"");
	assert_true(parse_rfc5424(line, format(&s.alert, line), &p));
	assert_string_equal(parsed_param(&p, "how"), "rename");
	assert_string_equal(parsed_param(&p, "new_path"), "/tmp/x] y=\"1\"");
	assert_null(parsed_param(&p, "sent_to"));
	parsed_fini(&p);

	alert_sample_init(&s);
	s.alert.type = ALERT_HOLDER_SENT;
	s.alert.how = 0;
	s.alert.sent = (struct alert_sent){.how = "send", .to = "2001:db8::1", .port = 53};
	assert_true(parse_rfc5424(line, format(&s.alert, line), &p));
	assert_string_equal(parsed_param(&p, "how"), "send");
	assert_null(parsed_param(&p, "mode"));
	assert_null(parsed_param(&p, "new_path"));
	assert_string_equal(parsed_param(&p, "sent_to"), "2001:db8::1");
	assert_string_equal(parsed_param(&p, "sent_port"), "53");
	parsed_fini(&p);
}

static void absent_things_are_left_out(void **state)
{
	char line[SYSLOG_LINE_MAX];
	struct alert_sample s;
	struct parsed p;

	alert_sample_init(&s);
	s.alert.nr_processes = 0;
	s.alert.object = 0;
	s.alert.type = ALERT_EVENTS_LOST;
	s.alert.gap_from_ns = s.alert.gap_to_ns = SAMPLE_TIME_NS;
	s.alert.cause = SAMPLE_STR("ring-critical");
	s.alert.count = 17;
	s.alert.host = NULL;
	assert_true(parse_rfc5424(line, format(&s.alert, line), &p));
	assert_null(parsed_param(&p, "pid"));
	assert_null(parsed_param(&p, "path"));
	assert_null(parsed_param(&p, "ancestors"));
	assert_null(parsed_param(&p, "truncated"));
	assert_string_equal(parsed_param(&p, "cause"), "ring-critical");
	assert_string_equal(parsed_param(&p, "count"), "17");
	assert_string_equal(p.host, "-");
	assert_string_equal(p.msgid, "events-lost");
	parsed_fini(&p);
}

static void bom_stands_before_a_sentence_that_is_not_ascii(void **state)
{
	static const struct {
		const char *text;
		bool bom;
	} rows[] = {{"plain", false}, {"käse", true}, {"", false}};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char line[SYSLOG_LINE_MAX];
		struct alert_sample s;
		struct parsed p;

		alert_sample_init(&s);
		s.alert.text = (char *)rows[i].text;
		assert_true(parse_rfc5424(line, format(&s.alert, line), &p));
		assert_int_equal(p.bom, rows[i].bom);
		assert_int_equal(p.msg_len, strlen(rows[i].text));
		assert_memory_equal(p.msg, rows[i].text, p.msg_len);
		parsed_fini(&p);
	}
}

/* What somebody who names files would try. */
static const struct {
	const char *p;
	size_t len;
} hostile[] = {
#define ROW(s)                   \
	{                        \
		s, sizeof(s) - 1 \
	}
	ROW("/tmp/a\nJan  1 00:00:00 host sshd[1]: Accepted publickey for root"),
	ROW("/tmp/\"] Accepted [x y=\"z"),
	ROW("/tmp/x\" severity=\"info"),
	ROW("/tmp/]"),
	ROW("/tmp/\\"),
	ROW("/tmp/\\\""),
	ROW("/tmp/\\]"),
	ROW("/tmp/\\x0a"),
	ROW("/tmp/\xff\xfe\xc0\x80\xed\xa0\x80"),
	ROW("/tmp/\xe2\x80\xae"
	    "gpj.exe"),
	ROW("/tmp/\xc2\x85\xe2\x80\xa8next"),
	ROW("/tmp/\x1b[2J\x7f\r\t"),
	ROW("/tmp/\xf0\x9f\x94\x91 k\xc3\xa4se"),
	ROW("/tmp/%s%n#012\xef\xbb\xbf"),
#undef ROW
};

static void hostile_names_come_back_byte_for_byte(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(hostile); i++) {
		char line[SYSLOG_LINE_MAX], escaped[512], back[512];
		const char *value;
		struct alert_sample s;
		struct parsed p;
		long n;

		escape_bytes(hostile[i].p, hostile[i].len, escaped, sizeof(escaped), NULL);
		alert_sample_init(&s);
		s.alert.path = s.alert.text = escaped;
		s.processes[0].exe = s.processes[0].args = s.processes[2].args = escaped;
		assert_true(parse_rfc5424(line, format(&s.alert, line), &p));
		assert_string_equal(parsed_param(&p, "severity"), "high");
		assert_string_equal(parsed_param(&p, "args"), escaped);
		value = parsed_param(&p, "path");
		assert_string_equal(value, escaped);
		n = escape_undo(value, strlen(value), back, sizeof(back));
		assert_int_equal(n, hostile[i].len);
		assert_memory_equal(back, hostile[i].p, n);
		assert_int_equal(p.msg_len, strlen(escaped));
		assert_memory_equal(p.msg, escaped, p.msg_len);
		parsed_fini(&p);
	}
}

static void strings_that_were_not_escaped_cannot_break_a_line_either(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(hostile); i++) {
		char line[SYSLOG_LINE_MAX];
		char *raw = (char *)hostile[i].p;
		struct alert_sample s;
		struct parsed p;

		alert_sample_init(&s);
		s.alert.path = s.alert.via = s.alert.text = s.alert.watch = s.alert.host = raw;
		s.alert.unit = s.alert.rule = s.alert.owner_user = s.alert.cause = raw;
		snprintf(s.alert.key.comment, sizeof(s.alert.key.comment), "%s", raw);
		for (uint32_t k = 0; k < s.alert.nr_processes; k++)
			s.processes[k].exe = s.processes[k].args = s.processes[k].user = raw;
		assert_true(parse_rfc5424(line, format(&s.alert, line), &p));
		assert_string_equal(parsed_param(&p, "severity"), "high");
		parsed_fini(&p);
	}
}

static char *long_path(size_t len, char fill)
{
	char *p = malloc(len + 1);

	memset(p, fill, len);
	p[0] = '/';
	memcpy(p + len - 4, "/end", 4);
	p[len] = '\0';
	return p;
}

static void too_long_lines_are_cut_in_the_stated_order(void **state)
{
	_cleanup_free_ char *args = long_path(3000, 'a'), *path = long_path(4096, 'p');
	char line[SYSLOG_LINE_MAX];
	struct alert_sample s;
	struct parsed p;
	size_t n;

	/* The ancestors' arguments go first; the subject's stay. */
	alert_sample_init(&s);
	for (uint32_t i = 0; i < 4; i++)
		s.processes[i].args = args;
	assert_true(parse_rfc5424(line, format(&s.alert, line), &p));
	assert_string_equal(parsed_param(&p, "truncated"), "1");
	assert_string_equal(parsed_param(&p, "args"), args);
	assert_true(strlen(parsed_param(&p, "p1_args")) <= 128);
	assert_string_equal(parsed_param(&p, "p1_exe"), "/usr/bin/bash");
	parsed_fini(&p);

	/* Then the subject's arguments, while a path of 4 KiB still stands whole. */
	s.alert.path = path;
	s.processes[0].args = path;
	assert_true(parse_rfc5424(line, format(&s.alert, line), &p));
	assert_string_equal(parsed_param(&p, "truncated"), "1");
	assert_string_equal(parsed_param(&p, "path"), path);
	assert_null(parsed_param(&p, "p1_args"));
	assert_int_equal(strlen(parsed_param(&p, "args")), 1024);
	parsed_fini(&p);

	/* Then the middle of paths; both ends can still be read. */
	s.alert.via = path;
	s.processes[0].exe = path;
	assert_true(parse_rfc5424(line, format(&s.alert, line), &p));
	n = strlen(parsed_param(&p, "path"));
	assert_in_range(n, 900, 1024);
	assert_string_equal(parsed_param(&p, "path") + n - 4, "/end");
	assert_memory_equal(parsed_param(&p, "path"), "/ppp", 4);
	assert_non_null(strstr(parsed_param(&p, "path"), "..."));
	assert_string_equal(parsed_param(&p, "p3_exe"), "/usr/lib/systemd/systemd");
	parsed_fini(&p);
}

static void what_speaks_against_a_program_is_one_value(void **state)
{
	char line[SYSLOG_LINE_MAX + 1];
	struct alert_sample s;
	struct parsed p;

	alert_sample_init(&s);
	s.alert.untrusted = UNTRUSTED_ALL;
	assert_true(parse_rfc5424(line, format(&s.alert, line), &p));
	assert_string_equal(parsed_param(&p, "untrusted"),
			    "mapped,traced,memory,other,writable,unknown,disguised");
	parsed_fini(&p);
}

static void a_cut_is_never_inside_a_character_or_an_escape(void **state)
{
	static const char *const units[] = {"\\x0a", "\\\\", "ä", "🔑", "]", "\"", "a"};

	for (size_t u = 0; u < ARRAY_SIZE(units); u++) {
		char big[9000] = "", line[SYSLOG_LINE_MAX], back[9000];
		struct alert_sample s;
		struct parsed p;
		const char *value, *dots;
		size_t n = 0, unit = strlen(units[u]);

		while (n + unit < sizeof(big) - 1) {
			memcpy(big + n, units[u], unit);
			n += unit;
		}
		big[n] = '\0';
		alert_sample_init(&s);
		s.alert.path = s.alert.via = s.alert.text = big;
		assert_true(parse_rfc5424(line, format(&s.alert, line), &p));
		value = parsed_param(&p, "path");
		dots = strstr(value, "...");
		assert_non_null(dots);
		assert_int_equal((dots - value) % unit, 0);
		assert_int_equal(strlen(dots + 3) % unit, 0);
		assert_true(escape_undo(value, dots - value, back, sizeof(back)) > 0);
		assert_true(escape_undo(dots + 3, strlen(dots + 3), back, sizeof(back)) > 0);
		parsed_fini(&p);
	}
}

static void the_longest_alert_there_can_be_fits(void **state)
{
	/* Each of these bytes is the worst in the line: five bytes of output for one of input. */
	_cleanup_free_ char *worst = malloc(20001);
	char line[SYSLOG_LINE_MAX];
	struct alert_sample s;
	struct parsed p;

	memset(worst, '\x01', 20000);
	worst[20000] = '\0';
	alert_sample_init(&s);
	for (int i = 0; i < ALERT_ANCESTRY_MAX; i++)
		s.processes[i] = (struct alert_process){UINT32_MAX, UINT64_MAX, UINT32_MAX,
							worst,	    worst,	worst};
	s.alert.nr_processes = ALERT_ANCESTRY_MAX;
	s.alert.host = s.alert.text = s.alert.login_user = s.alert.unit = worst;
	s.alert.image = s.alert.image_id = s.alert.image_container = worst;
	s.alert.container = s.alert.path = s.alert.via = s.alert.watch = worst;
	s.alert.owner_user = s.alert.rule = s.alert.cause = worst;
	s.alert.time_ns = s.alert.first_ns = s.alert.last_ns = UINT64_MAX;
	s.alert.count = s.alert.gap_from_ns = s.alert.gap_to_ns = UINT64_MAX;
	s.alert.summary = true;
	memset(s.alert.of, 'f', 32);
	s.alert.euid = s.alert.loginuid = s.alert.session = 4294967294u;
	s.alert.type = ALERT_EVENTS_LOST;
	s.alert.event_flags = UINT32_MAX;
	s.alert.mode = UINT32_MAX;
	s.alert.key.source = KEYSRC_SIBLING;
	memset(s.alert.key.ssh_fp, '"', sizeof(s.alert.key.ssh_fp) - 1);
	memset(s.alert.key.keygrip, '"', sizeof(s.alert.key.keygrip) - 1);
	memset(s.alert.key.comment, '\x01', sizeof(s.alert.key.comment) - 1);
	s.alert.nr_held = HELD_MAX;
	s.alert.nr_held_all = UINT32_MAX;
	for (size_t i = 0; i < HELD_MAX; i++)
		s.alert.held[i] = (struct alert_key){worst, "ssh-host-key", true, s.alert.key};
	s.alert.chain_seq = UINT64_MAX;
	memset(s.alert.chain_head, 'f', 64);
	s.alert.dump = (struct alert_dump){"written",  worst,	       "windows-dump", UINT32_MAX,
					   UINT32_MAX, UINT64_MAX - 1, UINT64_MAX,     UINT32_MAX};
	s.alert.setting =
		(struct alert_setting){"kernel.core_pipe_limit", worst, worst, UINT32_MAX};
	assert_true(parse_rfc5424(line, format(&s.alert, line), &p));
	assert_string_equal(parsed_param(&p, "truncated"), "1");
	assert_string_equal(parsed_param(&p, "ancestors"), "31");
	assert_string_equal(parsed_param(&p, "keys_held"), "4294967295");
	assert_string_equal(parsed_param(&p, "dump_how"), "written");
	assert_string_equal(parsed_param(&p, "setting"), "kernel.core_pipe_limit");
	parsed_fini(&p);

	s.alert.object = 0;
	s.alert.memory_how = MEMORY_PROCESS_VM;
	s.alert.target = s.processes[0];
	s.alert.keys_read = UINT32_MAX;
	s.alert.nr_keys = EVENT_KEYS_MAX;
	for (int i = 0; i < EVENT_KEYS_MAX; i++)
		s.alert.keys[i] = (struct alert_key){worst, "ssh-user-key", true, s.alert.key};
	assert_true(parse_rfc5424(line, format(&s.alert, line), &p));
	assert_string_equal(parsed_param(&p, "truncated"), "1");
	assert_string_equal(parsed_param(&p, "target_pid"), "4294967295");
	parsed_fini(&p);
}

static void memory_is_told_with_its_target_and_keys(void **state)
{
	char line[SYSLOG_LINE_MAX];
	struct alert_sample s;
	struct parsed p;

	alert_sample_init(&s);
	s.alert.type = ALERT_MEMORY_READ;
	s.alert.object = 0;
	s.alert.memory_how = MEMORY_ATTACH;
	s.alert.target = s.processes[2];
	s.alert.keys_read = 3;
	s.alert.nr_keys = 1;
	s.alert.keys[0] =
		(struct alert_key){SAMPLE_STR("/etc/ssh/k]"), "ssh-host-key", true, s.alert.key};
	assert_true(parse_rfc5424(line, format(&s.alert, line), &p));
	assert_string_equal(parsed_param(&p, "how"), "attach");
	assert_string_equal(parsed_param(&p, "target_pid"), "4100");
	assert_string_equal(parsed_param(&p, "target_exe"), "/usr/sbin/sshd");
	assert_string_equal(parsed_param(&p, "target_user"), "root");
	assert_string_equal(parsed_param(&p, "keys_read"), "3");
	assert_string_equal(parsed_param(&p, "key1_path"), "/etc/ssh/k]");
	assert_string_equal(parsed_param(&p, "key1_class"), "ssh-host-key");
	assert_string_equal(parsed_param(&p, "key1_fingerprint"), s.alert.key.ssh_fp);
	assert_null(parsed_param(&p, "path"));
	parsed_fini(&p);
}

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

/* Bytes that matter are frequent; anything else is possible. Never NUL. */
static char *random_string(uint32_t *seed)
{
	static const char special[] =
		"\\\\\\]]\"\"[ =x0a\n\r\t\xc3\xa4\xf0\x9f\x94\x91\xe2\x80\xa8\xff";
	size_t len = next_random(seed) % (next_random(seed) % 8 ? 60 : 6000);
	char *p = malloc(len + 1);

	for (size_t i = 0; i < len; i++) {
		p[i] = next_random(seed) % 2 ? special[next_random(seed) % (sizeof(special) - 1)]
					     : (char)(next_random(seed) % 255 + 1);
	}
	p[len] = '\0';
	return p;
}

static void any_alert_parses_within_the_limit(void **state)
{
	uint32_t seed = 20250109;

	for (int round = 0; round < 3000; round++) {
		char *strings[24], line[SYSLOG_LINE_MAX];
		struct alert_sample s;
		struct parsed p;
		size_t i = 0;

		for (size_t k = 0; k < ARRAY_SIZE(strings); k++)
			strings[k] = random_string(&seed);
		alert_sample_init(&s);
		s.alert.text = strings[i++];
		s.alert.path = strings[i++];
		s.alert.via = strings[i++];
		s.alert.host = strings[i++];
		s.alert.unit = strings[i++];
		s.alert.container = strings[i++];
		s.alert.image = strings[i - 1];
		s.alert.image_id = strings[i - 1];
		s.alert.image_container = strings[i - 1];
		s.alert.watch = strings[i++];
		s.alert.rule = strings[i++];
		s.alert.login_user = strings[i++];
		s.alert.owner_user = strings[i++];
		s.alert.new_path = strings[i++];
		for (int k = 0; k < 4; k++) {
			s.processes[k].exe = strings[i++];
			s.processes[k].args = strings[i++];
			s.processes[k].user = strings[i++];
		}
		if (!parse_rfc5424(line, format(&s.alert, line), &p))
			fail_msg("round %d does not parse", round);
		for (size_t a = 0; a < p.nr_params; a++)
			for (size_t b = a + 1; b < p.nr_params; b++)
				assert_string_not_equal(p.params[a].name, p.params[b].name);
		parsed_fini(&p);
		for (size_t k = 0; k < ARRAY_SIZE(strings); k++)
			free(strings[k]);
	}
}

static void sd_ids_are_checked(void **state)
{
	static const struct {
		const char *id;
		bool valid;
	} rows[] = {
		{"keytrail@32473", true},
		{"x", true},
		{"", false},
		{NULL, false},
		{"a b", false},
		{"a=b", false},
		{"a]b", false},
		{"a\"b", false},
		{"k\xc3\xa4se@1", false},
		{"abcdefghijklmnopqrstuvwxyz012345", true},
		{"abcdefghijklmnopqrstuvwxyz0123456", false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct syslog_ident other = {rows[i].id, 1};
		char line[SYSLOG_LINE_MAX];
		struct alert_sample s;

		alert_sample_init(&s);
		assert_int_equal(syslog_sd_id_valid(rows[i].id), rows[i].valid);
		assert_int_equal(rfc5424_format(&s.alert, &other, line) > 0, rows[i].valid);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(full_alert_gives_this_line),
		cmocka_unit_test(a_heartbeat_carries_the_head_of_the_log),
		cmocka_unit_test(time_carries_the_offset_of_the_zone),
		cmocka_unit_test(severity_becomes_pri),
		cmocka_unit_test(new_names_and_destinations_are_told),
		cmocka_unit_test(absent_things_are_left_out),
		cmocka_unit_test(bom_stands_before_a_sentence_that_is_not_ascii),
		cmocka_unit_test(hostile_names_come_back_byte_for_byte),
		cmocka_unit_test(strings_that_were_not_escaped_cannot_break_a_line_either),
		cmocka_unit_test(too_long_lines_are_cut_in_the_stated_order),
		cmocka_unit_test(what_speaks_against_a_program_is_one_value),
		cmocka_unit_test(a_cut_is_never_inside_a_character_or_an_escape),
		cmocka_unit_test(memory_is_told_with_its_target_and_keys),
		cmocka_unit_test(the_longest_alert_there_can_be_fits),
		cmocka_unit_test(any_alert_parses_within_the_limit),
		cmocka_unit_test(sd_ids_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
