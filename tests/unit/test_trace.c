// SPDX-License-Identifier: GPL-2.0-or-later
/* trace/: what is written is read back, whatever it is; what is not a trace is refused by its
 * place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "trace/format.h"
#include "trace/trace.h"

#define HEADER "{\"format\":\"keytrail-trace\",\"version\":1}\n"

static const char hostile[] = "a\nb\"]\\\x1b[0m\xff\xc3\xbc\xe2\x80\xae\\x41'{";

/* Sets every field of an event to a value that is not its default and differs from its neighbours'.
 */
static void fill(struct event *ev, struct trace_fields fields, uint64_t *n)
{
	for (size_t i = 0; i < fields.nr; i++) {
		const struct trace_field *field = &fields.fields[i];
		char *p = (char *)ev + field->offset;

		*n += 0x0101010101010101ULL;
		switch (field->kind) {
		case TRACE_U16:
			*(uint16_t *)p = (uint16_t)*n;
			break;
		case TRACE_U32:
			*(uint32_t *)p = (uint32_t)*n;
			break;
		case TRACE_U64:
			*(uint64_t *)p = *n;
			break;
		case TRACE_BOOL:
			*(bool *)p = true;
			break;
		case TRACE_WORD:
			*(uint32_t *)p = field->nr - 1U;
			break;
		case TRACE_SPAN:
			*(struct span *)p = (struct span){hostile, sizeof(hostile) - 1 - i % 3};
			break;
		case TRACE_CHARS:
			memcpy(p, hostile,
			       field->size < sizeof(hostile) ? field->size - 1U
							     : sizeof(hostile) - 1);
			break;
		case TRACE_ADDR:
			memset(p, (int)(*n & 255), TRACE_ADDR_LEN - 1); /* ends with a zero */
			break;
		case TRACE_SPKI:
			memset(((struct key_identity *)p)->spki, (int)(*n & 255), 32);
			((struct key_identity *)p)->has_spki = true;
			break;
		default:
			fail_msg("a kind of field without a test");
		}
	}
}

static void assert_fields_equal(const struct event *a, const struct event *b,
				struct trace_fields fields)
{
	for (size_t i = 0; i < fields.nr; i++) {
		const struct trace_field *field = &fields.fields[i];
		const char *p = (const char *)a + field->offset,
			   *q = (const char *)b + field->offset;
		size_t size = field->size;

		switch (field->kind) {
		case TRACE_U16:
			size = sizeof(uint16_t);
			break;
		case TRACE_U32:
		case TRACE_WORD:
			size = sizeof(uint32_t);
			break;
		case TRACE_U64:
			size = sizeof(uint64_t);
			break;
		case TRACE_BOOL:
			size = sizeof(bool);
			break;
		case TRACE_ADDR:
			size = TRACE_ADDR_LEN;
			break;
		case TRACE_SPKI: {
			const struct key_identity *k = (const void *)p, *l = (const void *)q;

			assert_int_equal(k->has_spki, l->has_spki);
			p = (const char *)k->spki;
			q = (const char *)l->spki;
			size = sizeof(k->spki);
			break;
		}
		case TRACE_SPAN: {
			struct span s = *(const struct span *)p, t = *(const struct span *)q;

			assert_int_equal(s.len, t.len);
			p = s.p;
			q = t.p;
			size = s.len;
			break;
		}
		}
		if (size && memcmp(p, q, size) != 0)
			fail_msg("field \"%s\" differs", field->name);
	}
}

static void round_trip(const struct event *ev)
{
	_cleanup_free_ char *text = NULL;
	struct diag_list diags = {0};
	struct trace_header header = {.host = "h\xff\n",
				      .boot_id = "b",
				      .policy = "p\"",
				      .wall_offset_ns = -42};
	struct trace_writer *writer;
	struct trace_reader *reader;
	struct trace_item item;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	int r;

	assert_non_null(f);
	assert_int_equal(trace_writer_new(f, &header, &writer), 0);
	assert_int_equal(trace_write(writer, ev), 0);
	assert_int_equal(trace_write_tick(writer, UINT64_MAX), 0);
	assert_int_equal(trace_write_clock(writer, -1700000000000000001), 0);
	trace_writer_free(writer);
	fclose(f);
	for (size_t i = 0; i < size; i++) /* one printable line each */
		assert_true((unsigned char)text[i] >= 0x20 || text[i] == '\n');

	f = fmemopen(text, size, "r");
	assert_non_null(f);
	r = trace_reader_new(f, "t", &diags, &reader);
	if (r < 0)
		diag_print(&diags, stderr);
	assert_int_equal(r, 0);
	assert_string_equal(trace_reader_header(reader)->host, header.host);
	assert_string_equal(trace_reader_header(reader)->boot_id, "b");
	assert_string_equal(trace_reader_header(reader)->policy, "p\"");
	assert_int_equal(trace_reader_header(reader)->wall_offset_ns, -42);
	assert_int_equal(trace_reader_header(reader)->version, TRACE_VERSION);
	r = trace_read(reader, &item);
	if (r < 0)
		diag_print(&diags, stderr);
	assert_int_equal(r, 1);
	assert_int_equal(item.type, TRACE_EVENT);
	assert_int_equal(item.event.type, ev->type);
	assert_fields_equal(ev, &item.event, trace_common_fields());
	assert_fields_equal(ev, &item.event, trace_type_fields(ev->type));
	assert_int_equal(trace_read(reader, &item), 1);
	assert_int_equal(item.type, TRACE_TICK);
	assert_int_equal(item.now, UINT64_MAX);
	assert_int_equal(trace_read(reader, &item), 1);
	assert_int_equal(item.type, TRACE_CLOCK);
	assert_int_equal(item.wall_offset_ns, -1700000000000000001);
	assert_int_equal(trace_read(reader, &item), 0);
	assert_int_equal(trace_read(reader, &item), 0);
	assert_int_equal(diags.nr, 0);
	trace_reader_free(reader);
	fclose(f);
}

static void events_of_every_type_come_back_whole(void **state)
{
	for (unsigned type = 1; type < EVENT_TYPE_NR; type++) {
		struct event ev = {.type = (enum event_type)type};
		uint64_t n = 0x8070605040302010ULL;

		assert_true(trace_type_fields(ev.type).nr > 0);
		assert_true(trace_type_fields(ev.type).nr <= 64); /* as many as the reader keeps */
		fill(&ev, trace_common_fields(), &n);
		fill(&ev, trace_type_fields(ev.type), &n);
		round_trip(&ev);
	}
}

/* Every enum at every value, the others at zero. */
static void words_and_zeroes_come_back(void **state)
{
	for (unsigned type = 1; type < EVENT_TYPE_NR; type++) {
		struct trace_fields fields = trace_type_fields((enum event_type)type);

		for (size_t i = 0; i < fields.nr; i++) {
			const struct trace_field *field = &fields.fields[i];

			for (unsigned v = field->first; v < field->nr; v++) {
				struct event ev = {.type = (enum event_type)type};

				for (size_t k = 0; k < fields.nr; k++)
					if (fields.fields[k].kind == TRACE_WORD)
						*(uint32_t *)((char *)&ev +
							      fields.fields[k].offset) =
							fields.fields[k].first;
				*(uint32_t *)((char *)&ev + field->offset) = v;
				round_trip(&ev);
			}
		}
	}
}

/* No event member may be forgotten: what the table does not cover is zeroed by a round trip. */
static void the_table_covers_the_whole_struct(void **state)
{
	static const struct {
		enum event_type type;
		size_t from, size;
	} members[] = {
#define MEMBER(t, m) {t, offsetof(struct event, m), sizeof(((struct event *)0)->m)}
		MEMBER(EVENT_FORK, fork),
		MEMBER(EVENT_EXEC, exec),
		MEMBER(EVENT_EXIT, exit),
		MEMBER(EVENT_ACCESS, access),
		MEMBER(EVENT_MARK, mark),
		MEMBER(EVENT_PROC, exec),
		MEMBER(EVENT_OBJECT, object),
		MEMBER(EVENT_USER, user),
		MEMBER(EVENT_GAP, gap),
		MEMBER(EVENT_HEALTH, health),
		MEMBER(EVENT_MEMORY, memory),
		MEMBER(EVENT_NET, net),
		MEMBER(EVENT_CONTAINER, container),
#undef MEMBER
	};

	for (size_t m = 0; m < ARRAY_SIZE(members); m++) {
		struct trace_fields fields = trace_type_fields(members[m].type);
		size_t covered = 0;

		for (size_t i = 0; i < fields.nr; i++) {
			switch (fields.fields[i].kind) {
			case TRACE_U16:
				covered += 2;
				break;
			case TRACE_U32:
			case TRACE_WORD:
				covered += 4;
				break;
			case TRACE_U64:
				covered += 8;
				break;
			case TRACE_BOOL:
				covered += 1;
				break;
			case TRACE_SPAN:
				covered += sizeof(struct span);
				break;
			case TRACE_CHARS:
				covered += fields.fields[i].size;
				break;
			case TRACE_ADDR:
				covered += TRACE_ADDR_LEN;
				break;
			case TRACE_SPKI:
				covered += 33;
				break;
			}
		}
		/* What is left is padding: less than one word per nested struct. */
		assert_in_range(members[m].size - covered, 0, 32);
	}
}

static int read_all(const char *text, size_t len, struct diag_list *diags)
{
	FILE *f = fmemopen((void *)text, len, "r");
	struct trace_reader *reader;
	struct trace_item item;
	int r;

	assert_non_null(f);
	r = trace_reader_new(f, "t", diags, &reader);
	if (!r) {
		while ((r = trace_read(reader, &item)) > 0)
			;
		trace_reader_free(reader);
	}
	fclose(f);
	return r;
}

static void what_is_wrong_is_said_with_its_place(void **state)
{
	static const struct {
		const char *text;
		int error;
		unsigned line, column;
		const char *says;
	} cases[] = {
		{"\n", -EINVAL, 1, 1, "not a trace"},
		{"{}\n", -EINVAL, 1, 1, "not a trace"},
		{"# comment\n", -EINVAL, 1, 1, "not a trace"},
		{"{\"format\":\"other\",\"version\":1}\n", -EINVAL, 1, 1, "not a trace"},
		{"{\"format\":\"keytrail-trace\",\"version\":0}\n", -EINVAL, 1, 1, "not a trace"},
		{"{\"format\":\"keytrail-trace\",\"version\":4,\"new\":[{}]}\n", -EPROTONOSUPPORT,
		 1, 1, "newer keytrail"},
		{"{\"format\":\"keytrail-trace\",\"version\":1,\"host\":\"\\u0001\"}\n", -EINVAL, 1,
		 1, "damaged header"},
		{HEADER "x\n", -EINVAL, 2, 1, "\"{\" expected"},
		{HEADER "{}\n", -EINVAL, 2, 2, "expected"},
		{HEADER "{\"time\":1,\"t\":\"user\"}\n", -EINVAL, 2, 2, "first field"},
		{HEADER "{\"t\":\"nonsense\"}\n", -EINVAL, 2, 6, "no such type"},
		{HEADER "{\"t\":\"user\",\"uid\":1,\"uid\":2}\n", -EINVAL, 2, 21, "twice"},
		{HEADER "{\"t\":\"user\",\"pid\":1}\n", -EINVAL, 2, 13, "no such field"},
		{HEADER "{\"t\":\"user\",\"uid\":4294967296}\n", -EINVAL, 2, 19, "out of range"},
		{HEADER "{\"t\":\"user\",\"uid\":-1}\n", -EINVAL, 2, 19, "number expected"},
		{HEADER "{\"t\":\"user\",\"uid\":01}\n", -EINVAL, 2, 19, "number expected"},
		{HEADER "{\"t\":\"user\",\"uid\":1.5}\n", -EINVAL, 2, 20, "expected"},
		{HEADER "{\"t\":\"user\",\"uid\":\"1\"}\n", -EINVAL, 2, 19, "number expected"},
		{HEADER "{\"t\":\"user\",\"time\":18446744073709551616}\n", -EINVAL, 2, 20,
		 "out of range"},
		{HEADER "{\"t\":\"user\",\"name\":\"a\x01\"}\n", -EINVAL, 2, 22,
		 "control character"},
		{HEADER "{\"t\":\"user\",\"name\":\"\\q\"}\n", -EINVAL, 2, 21, "no escape of JSON"},
		{HEADER "{\"t\":\"user\",\"name\":\"\\u12\"}\n", -EINVAL, 2, 21, "four hex digits"},
		{HEADER "{\"t\":\"user\",\"name\":\"\\ud800\"}\n", -EINVAL, 2, 21, "surrogate"},
		{HEADER "{\"t\":\"user\",\"name\":\"\\udc00\"}\n", -EINVAL, 2, 21, "surrogate"},
		{HEADER "{\"t\":\"user\",\"name\":\"\\\\n\"}\n", -EINVAL, 2, 20, "not escaped"},
		{HEADER "{\"t\":\"user\",\"name\":\"\xff\"}\n", -EINVAL, 2, 20, "not escaped"},
		{HEADER "{\"t\":\"user\",\"name\":\"abc\n", -EINVAL, 2, 20, "without end"},
		{HEADER "{\"t\":\"user\"} x\n", -EINVAL, 2, 14, "behind the end"},
		{HEADER "{\"t\":\"access\",\"how\":\"never\"}\n", -EINVAL, 2, 21, "no value"},
		{HEADER "{\"t\":\"object\",\"key_known\":1}\n", -EINVAL, 2, 27, "true or false"},
		{HEADER "{\"t\":\"object\",\"key_spki\":\"00\"}\n", -EINVAL, 2, 26, "64 hex"},
		{HEADER "{\"t\":\"exit\",\"comm\":\"0123456789abcdef\"}\n", -EINVAL, 2, 20,
		 "too long"},
		{HEADER "{\"t\":\"exit\",\"comm\":\"a\\\\x00b\"}\n", -EINVAL, 2, 20, "a NUL"},
		{HEADER "{\"t\":\"tick\",\"then\":1}\n", -EINVAL, 2, 13, "\"now\" expected"},
		{HEADER "{\"t\":\"tick\",\"now\":1,\"x\":2}\n", -EINVAL, 2, 20, "expected"},
		{HEADER "\n# fine\n{\"t\":\"tick\",\"now\":1}\nx\n", -EINVAL, 5, 1, "expected"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct diag_list diags = {0};

		assert_int_equal(read_all(cases[i].text, strlen(cases[i].text), &diags),
				 cases[i].error);
		assert_int_equal(diags.nr, 1);
		if (diags.items[0].line != cases[i].line ||
		    diags.items[0].column != cases[i].column ||
		    !strstr(diags.items[0].text, cases[i].says))
			fail_msg("%s: %u:%u: %s", cases[i].text, diags.items[0].line,
				 diags.items[0].column, diags.items[0].text);
		diag_list_fini(&diags);
	}
}

static void other_writers_of_json_are_understood(void **state)
{
	static const char text[] = HEADER
		" { \"t\" : \"user\" , \"uid\" : 7 , \"name\" : \"gr\\u00fc\\u00DF\\/\\ud83d\\udd11\" } \r\n";
	struct diag_list diags = {0};
	FILE *f = fmemopen((void *)text, sizeof(text) - 1, "r");
	struct trace_reader *reader;
	struct trace_item item;

	assert_int_equal(trace_reader_new(f, "t", &diags, &reader), 0);
	assert_int_equal(trace_read(reader, &item), 1);
	assert_int_equal(item.event.user.uid, 7);
	assert_int_equal(item.event.user.name.len, 11);
	assert_memory_equal(item.event.user.name.p, "gr\xc3\xbc\xc3\x9f/\xf0\x9f\x94\x91", 11);
	trace_reader_free(reader);
	fclose(f);
}

static void a_line_that_was_cut_off_ends_the_trace(void **state)
{
	static const char text[] = HEADER "{\"t\":\"tick\",\"now\":1}\n{\"t\":\"tick\",\"no";
	struct diag_list diags = {0};

	assert_int_equal(read_all(text, sizeof(text) - 1, &diags), 0);
	assert_int_equal(diags.nr, 1);
	assert_int_equal(diags.warnings, 1);
	assert_int_equal(diags.items[0].line, 3);
	diag_list_fini(&diags);
}

static void lines_are_bounded(void **state)
{
	_cleanup_free_ char *text = malloc(3 * TRACE_LINE_MAX);
	size_t n = sizeof(HEADER) - 1;
	struct diag_list diags = {0};
	static char big[TRACE_STRING_MAX + 1];
	struct event ev = {.type = EVENT_USER, .user = {.name = {big, sizeof(big)}}};
	struct trace_writer *writer;
	FILE *f = fopen("/dev/null", "we");

	memcpy(text, HEADER, n);
	memset(text + n, ' ', 2 * TRACE_LINE_MAX);
	assert_int_equal(read_all(text, n + 2 * TRACE_LINE_MAX, &diags), -EINVAL);
	assert_int_equal(diags.items[0].line, 2);
	diag_list_fini(&diags);

	assert_non_null(f);
	assert_int_equal(trace_writer_new(f, &(struct trace_header){0}, &writer), 0);
	memset(big, 'x', sizeof(big));
	assert_int_equal(trace_write(writer, &ev), -EMSGSIZE);
	ev.user.name.len--;
	assert_int_equal(trace_write(writer, &ev), 0);
	memset(big, '\1', sizeof(big)); /* the longest text of the longest string */
	assert_int_equal(trace_write(writer, &ev), 0);
	ev.type = EVENT_TYPE_NR;
	assert_int_equal(trace_write(writer, &ev), -EINVAL);
	trace_writer_free(writer);
	fclose(f);
}

static void a_full_disk_is_told(void **state)
{
	FILE *f = fopen("/dev/full", "we");
	struct trace_writer *writer;
	struct event ev = {.type = EVENT_USER};
	int r = 0;

	assert_non_null(f);
	assert_int_equal(trace_writer_new(f, &(struct trace_header){0}, &writer), 0);
	for (int i = 0; i < 100000 && !r; i++) /* until stdio's buffer is full */
		r = trace_write(writer, &ev);
	assert_int_equal(r, -EIO);
	trace_writer_free(writer);
	fclose(f);
}

/* Lines cross the reader's buffer at every offset. */
static void long_traces_are_read_in_pieces(void **state)
{
	struct trace_writer *writer;
	struct trace_reader *reader;
	struct trace_item item;
	struct diag_list diags = {0};
	static char name[TRACE_STRING_MAX];
	FILE *f = tmpfile();
	uint32_t i;

	assert_non_null(f);
	memset(name, 'n', sizeof(name));
	assert_int_equal(trace_writer_new(f, &(struct trace_header){0}, &writer), 0);
	for (i = 0; i < 2000; i++) {
		struct event ev = {.type = EVENT_USER,
				   .user = {.uid = i, .name = {name, i * 4099 % sizeof(name)}}};

		assert_int_equal(trace_write(writer, &ev), 0);
	}
	trace_writer_free(writer);
	rewind(f);
	assert_int_equal(trace_reader_new(f, "t", &diags, &reader), 0);
	for (i = 0; trace_read(reader, &item) > 0; i++) {
		assert_int_equal(item.event.user.uid, i);
		assert_int_equal(item.event.user.name.len, i * 4099 % sizeof(name));
	}
	assert_int_equal(i, 2000);
	assert_int_equal(diags.nr, 0);
	trace_reader_free(reader);
	fclose(f);
}

/* docs/trace.md names every type and every field. Run from the top of the repository. */
static void the_format_is_documented(void **state)
{
	_cleanup_fclose_ FILE *f = fopen("docs/trace.md", "re");
	_cleanup_free_ char *doc = NULL;
	size_t size = 0;

	if (!f || getdelim(&doc, &size, EOF, f) < 0)
		fail_msg("docs/trace.md cannot be read: run from the top of the repository");
	for (unsigned type = 0; type < EVENT_TYPE_NR; type++) {
		struct trace_fields fields =
			type ? trace_type_fields((enum event_type)type) : trace_common_fields();
		char quoted[64];

		snprintf(quoted, sizeof(quoted), "`%s`", event_type_str((enum event_type)type));
		if (type && !strstr(doc, quoted))
			fail_msg("docs/trace.md does not name %s", quoted);
		for (size_t i = 0; i < fields.nr; i++) {
			snprintf(quoted, sizeof(quoted), "`%s`", fields.fields[i].name);
			if (!strstr(doc, quoted))
				fail_msg("docs/trace.md does not name %s", quoted);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_of_every_type_come_back_whole),
		cmocka_unit_test(words_and_zeroes_come_back),
		cmocka_unit_test(the_table_covers_the_whole_struct),
		cmocka_unit_test(what_is_wrong_is_said_with_its_place),
		cmocka_unit_test(other_writers_of_json_are_understood),
		cmocka_unit_test(a_line_that_was_cut_off_ends_the_trace),
		cmocka_unit_test(lines_are_bounded),
		cmocka_unit_test(a_full_disk_is_told),
		cmocka_unit_test(long_traces_are_read_in_pieces),
		cmocka_unit_test(the_format_is_documented),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
