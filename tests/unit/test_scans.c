// SPDX-License-Identifier: GPL-2.0-or-later
/* daemon/scans.c with a loop, real children and stand-ins for them, and nothing of the kernel: each
 * dump that comes in has its verdict. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>

#include "daemon/known.c"
#include "daemon/scans.c"
#include "unit/keymaker.h"
#include "unit/tmpdir.h"

#define EVENTS_MAX 256

struct told {
	enum event_type type;
	struct event_scan scan;
	struct event_scan_key key;
	char path[128], label[64];
};

static struct told told[EVENTS_MAX];
static size_t nr_told, nr_health;
static char health[2048];

/* --- what the daemon is to scans.c -------------------------------------------------------------
 */

uint64_t app_boottime(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

void feed(struct app *app, const struct event *event)
{
	struct told *t = &told[nr_told++];

	assert_true(nr_told < EVENTS_MAX);
	memset(t, 0, sizeof(*t));
	t->type = event->type;
	if (event->type == EVENT_SCAN) {
		t->scan = event->scan;
		memcpy(t->path, event->scan.path.p, event->scan.path.len);
	} else {
		t->key = event->scan_key;
		if (event->scan_key.label.len)
			memcpy(t->label, event->scan_key.label.p, event->scan_key.label.len);
	}
}

void feed_health(struct app *app, enum health_level level, const char *what, const char *text)
{
	nr_health++;
	snprintf(health, sizeof(health), "%s: %s", what, text);
}

static uint32_t account; /* whom all counts for; UID_UNSET: for its owner */

uint32_t quota_account(const struct quota *quota, uint32_t uid)
{
	return account == UID_UNSET ? uid : account;
}

void log_line(const char *prefix, const char *fmt, ...)
{
}

/* --- a watcher that marks nothing ---------------------------------------------------------------
 */

static unsigned nr_marked, nr_unmarked;

static int fake_mark(void *userdata, int dirfd, const char *name, struct mark *mark,
		     struct inode_id *out_identity)
{
	struct stat st;

	assert_int_equal(fstatat(dirfd, name, &st, 0), 0);
	*out_identity = (struct inode_id){.ino = st.st_ino, .dev = 1};
	nr_marked++;
	return 0;
}

static int fake_unmark(void *userdata, const struct inode_id *identity, uint64_t object)
{
	nr_unmarked++;
	return 0;
}

static void fake_object(void *userdata, const struct watched *watched)
{
}

static const struct watcher_ops watcher_ops = {.mark = fake_mark,
					       .unmark = fake_unmark,
					       .object = fake_object};

/* --- a daemon of its own for each test ---------------------------------------------------------
 */

struct fixture {
	struct app app;
	struct scans *scans;
	char *dir;
	uint64_t ino;
	bool by_path; /* files are told by their whole path */
};

static void set_policy(struct fixture *f, const char *scan)
{
	struct diag_list diags = {0};
	struct policy *policy = NULL;
	char text[512];

	snprintf(text, sizeof(text), "version: 1\nsettings:\n  scan: {%s}\n", scan);
	if (policy_parse("test", text, strlen(text), &diags, &policy) < 0) {
		diag_print(&diags, stderr);
		fail();
	}
	diag_list_fini(&diags);
	policy_free(f->app.policy);
	f->app.policy = policy;
	f->app.generation++;
	scans_set_policy(f->scans);
}

/* keytrail-scan-dump of the build that this test belongs to. */
static const char *real_program(void)
{
	static char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 32);

	assert_true(n > 0);
	path[n] = '\0';
	for (int up = 0; up < 3; up++)
		*strrchr(path, '/') = '\0';
	return strcat(path, "/keytrail-scan-dump");
}

static const char *enemy(struct fixture *f, const char *script)
{
	static char path[PATH_MAX];
	FILE *file;

	snprintf(path, sizeof(path), "%s/enemy", f->dir);
	file = fopen(path, "w");
	fprintf(file, "#!/bin/sh\n%s\n", script);
	fclose(file);
	chmod(path, 0755);
	return path;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	void *dir;

	nr_told = nr_health = 0;
	account = UID_UNSET;
	if (!f || tmpdir_make(&dir) || sd_event_new(&f->app.loop) < 0 ||
	    scans_new(&f->app, &f->scans) < 0)
		return -1;
	nr_marked = nr_unmarked = 0;
	if (watcher_new(&watcher_ops, NULL, &f->app.watcher) < 0)
		return -1;
	watcher_set_copy_watch(f->app.watcher, 4);
	f->dir = dir;
	f->scans->program = real_program();
	set_policy(f, "");
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	void *dir = f->dir;

	scans_free(f->scans);
	watcher_free(f->app.watcher);
	policy_free(f->app.policy);
	sd_event_unref(f->app.loop);
	tmpdir_clean(&dir);
	free(f);
	return 0;
}

/* The file NAME, made by a shell command, as one that was just closed. */
static void closed(struct fixture *f, const char *name, const char *command, bool urgent, bool copy)
{
	char path[PATH_MAX];
	struct event event = {.type = EVENT_WRITTEN};
	struct stat st;
	int fd;

	if (command)
		shell(f->dir, NULL, 0, "%s", command);
	snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	event.written.inode = (struct inode_id){.ino = st.st_ino, .dev = 1};
	event.written.path = span_of(f->by_path ? path : name);
	if (copy) {
		event.written.how = WRITTEN_COPY | WRITTEN_HOLDER;
		watcher_copy_wanted(f->app.watcher, &event.written.inode, &event.written.object);
		scans_copy(f->scans, &event, fd);
	} else {
		event.written.object = st.st_ino;
		scans_written(f->scans, &event, fd, urgent);
	}
	close(fd);
}

static void written(struct fixture *f, const char *name, const char *command, bool urgent)
{
	closed(f, name, command, urgent, false);
}

static void copied(struct fixture *f, const char *name, const char *command)
{
	closed(f, name, command, false, true);
}

static void run_copies_out(struct fixture *f)
{
	struct scans_stats stats;

	for (int i = 0; i < 100000; i++) {
		scans_stats(f->scans, &stats);
		if (!stats.copies_queued)
			return;
		assert_true(sd_event_run(f->app.loop, 60000000) >= 0);
	}
	fail();
}

static void run(struct fixture *f)
{
	struct scans_stats stats;

	for (int i = 0; i < 100000; i++) {
		scans_stats(f->scans, &stats);
		if (!stats.running && !stats.queued)
			return;
		assert_true(sd_event_run(f->app.loop, 60000000) > 0);
	}
	fail();
}

/* The last word about a file. */
static const struct told *verdict(const char *name)
{
	for (size_t i = nr_told; i-- > 0;)
		if (told[i].type == EVENT_SCAN && !strcmp(told[i].path, name))
			return &told[i];
	fail_msg("nothing was told of %s", name);
	return NULL;
}

static void is(const char *name, enum scan_state state, enum scan_cause cause)
{
	const struct told *t = verdict(name);

	if (t->scan.state != state || t->scan.cause != cause)
		fail_msg("%s: %s %s", name, scan_state_str(t->scan.state),
			 scan_cause_str(t->scan.cause));
}

static void a_dump_waits_is_scanned_and_has_a_verdict(void **state)
{
	struct fixture *f = *state;
	char fp[128];

	shell(f->dir, NULL, 0, "ssh-keygen -q -t ed25519 -N '' -f k");
	shell(f->dir, fp, sizeof(fp), "ssh-keygen -lf k | cut -d' ' -f2 | tr -d '\\n'");
	written(f, "d", "head -c 100000 /dev/zero >d; cat k >>d", false);
	assert_int_equal(told[0].scan.state, SCANSTATE_UNSCANNED);
	assert_int_equal(told[0].scan.cause, SCANCAUSE_WAITING);
	assert_int_equal(told[1].scan.state, SCANSTATE_SCANNING);
	run(f);
	assert_int_equal(told[2].type, EVENT_SCAN_KEY);
	assert_string_equal(told[2].key.key.ssh_fp, fp);
	assert_int_equal(told[2].key.scan, 1);
	is("d", SCANSTATE_KEY, SCANCAUSE_NONE);
	assert_int_equal(verdict("d")->scan.keys, 1);
	assert_true(verdict("d")->scan.took > 0);
	/* The same content once more is no news; another is. */
	written(f, "d", NULL, true);
	assert_int_equal(nr_told, 4);
	written(f, "d", "head -c 100000 /dev/zero >d", false);
	run(f);
	is("d", SCANSTATE_CLEAN, SCANCAUSE_NONE);
}

static void a_file_that_is_gone_is_scanned_all_the_same(void **state)
{
	struct fixture *f = *state;

	set_policy(f, "children: 1");
	written(f, "a", "head -c 100000 /dev/zero >a", false);
	written(f, "b", "head -c 200000 /dev/zero >b", false);
	shell(f->dir, NULL, 0, "rm a b");
	run(f);
	is("a", SCANSTATE_CLEAN, SCANCAUSE_NONE);
	is("b", SCANSTATE_CLEAN, SCANCAUSE_NONE);
}

static void what_is_not_scanned_has_its_cause(void **state)
{
	static const struct {
		const char *name, *script;
		enum scan_cause cause;
	} cases[] = {
		{"crashes", "kill -SEGV $$", SCANCAUSE_CRASHED},
		{"killed", "kill -KILL $$", SCANCAUSE_CRASHED},
		{"out-of-time", "kill -XCPU $$", SCANCAUSE_TIME},
		{"lies", "echo hello", SCANCAUSE_ANSWER},
		{"hangs", "exec sleep 1000", SCANCAUSE_TIME},
	};
	struct fixture *f = *state;
	struct scans_stats stats;

	set_policy(f, "max_size_mib: 1, max_time_s: 600");
	shell(f->dir, NULL, 0, "head -c 5000000 /dev/urandom >large; truncate -s 1T sparse");
	written(f, "large", NULL, false);
	is("large", SCANSTATE_UNSCANNED, SCANCAUSE_SIZE);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char command[128];

		f->scans->program = enemy(f, cases[i].script);
		snprintf(command, sizeof(command), "echo %zu >%s", i, cases[i].name);
		if (!strcmp(cases[i].name, "hangs"))
			set_policy(f, "max_size_mib: 1, max_time_s: 1");
		written(f, cases[i].name, command, false);
		run(f);
		is(cases[i].name, SCANSTATE_UNSCANNED, cases[i].cause);
	}
	f->scans->program = "/nonexistent";
	written(f, "x", "echo x >x", false);
	is("x", SCANSTATE_UNSCANNED, SCANCAUSE_PROGRAM);
	set_policy(f, "on: off");
	written(f, "off", "echo x >off", false);
	is("off", SCANSTATE_UNSCANNED, SCANCAUSE_OFF);
	/* And all is well again. */
	f->scans->program = real_program();
	set_policy(f, "max_time_s: 600");
	written(f, "sparse", NULL, false);
	run(f);
	is("sparse", SCANSTATE_CLEAN, SCANCAUSE_NONE);
	scans_stats(f->scans, &stats);
	assert_int_equal(stats.unscanned[SCANCAUSE_CRASHED], 2);
	assert_int_equal(stats.unscanned[SCANCAUSE_TIME], 2);
	assert_int_equal(stats.unscanned[SCANCAUSE_SIZE], 1);
	assert_int_equal(stats.done[SCANSTATE_CLEAN], 1);
}

static void a_full_queue_names_what_it_gives_up(void **state)
{
	struct fixture *f = *state;

	set_policy(f, "queue: 2, max_time_s: 600");
	f->scans->program = enemy(f, "exec sleep 1000");
	written(f, "runs", "echo r >runs", false);
	written(f, "a", "echo a >a", false);
	written(f, "b", "echo b >b", false);
	assert_int_equal(nr_health, 0);
	written(f, "c", "echo c >c", false);
	is("c", SCANSTATE_UNSCANNED, SCANCAUSE_QUEUE);
	assert_int_equal(nr_health, 1);
	assert_true(strstr(health, "scan-queue: ") && strstr(health, "the last is c"));
	/* Memory of who had read a key goes before it, and drives another out. */
	written(f, "holder", "echo h >holder", true);
	is("b", SCANSTATE_UNSCANNED, SCANCAUSE_QUEUE);
	is("holder", SCANSTATE_UNSCANNED, SCANCAUSE_WAITING);
	assert_int_equal(nr_health, 1); /* once a minute */
	/* The end of the daemon is told of each, too. */
	scans_free(f->scans);
	is("runs", SCANSTATE_UNSCANNED, SCANCAUSE_STOPPED);
	is("a", SCANSTATE_UNSCANNED, SCANCAUSE_STOPPED);
	is("holder", SCANSTATE_UNSCANNED, SCANCAUSE_STOPPED);
	assert_int_equal(scans_new(&f->app, &f->scans), 0);
}

static void what_waits_survives_a_reload(void **state)
{
	struct fixture *f = *state;

	f->scans->program = enemy(f, "exec sleep 1000");
	set_policy(f, "max_time_s: 1");
	written(f, "runs", "echo r >runs", false);
	written(f, "a", "echo a >a", false);
	f->scans->program = real_program();
	set_policy(f, "max_time_s: 600, children: 4");
	run(f);
	is("runs", SCANSTATE_UNSCANNED, SCANCAUSE_TIME);
	is("a", SCANSTATE_CLEAN, SCANCAUSE_NONE);
}

static void a_known_key_has_its_label(void **state)
{
	struct fixture *f = *state;
	char setting[PATH_MAX + 64];

	/* keytrail of the same build makes the file. */
	shell(f->dir, NULL, 0, "ssh-keygen -q -t ed25519 -N '' -f k");
	shell(f->dir, NULL, 0,
	      "%.*s/keytrail needle make --label release-signing --zone prod "
	      "-o needles k >/dev/null",
	      (int)(strrchr(real_program(), '/') - real_program()), real_program());
	snprintf(setting, sizeof(setting), "needles: %s/needles", f->dir);
	set_policy(f, setting);
	assert_int_equal(nr_health, 0);
	written(f, "d", "head -c 100000 /dev/zero >d; cat k >>d", false);
	run(f);
	is("d", SCANSTATE_KEY, SCANCAUSE_NONE);
	for (size_t i = 0; i < nr_told; i++)
		if (told[i].type == EVENT_SCAN_KEY) {
			assert_string_equal(told[i].label, "release-signing");
			assert_int_equal(told[i].key.severity, SEV_CRITICAL);
		}
	/* One that is not to be had is said; dumps are scanned without. */
	snprintf(setting, sizeof(setting), "needles: %s/absent", f->dir);
	set_policy(f, setting);
	assert_int_equal(nr_health, 1);
	written(f, "d", "head -c 100001 /dev/zero >d; cat k >>d", false);
	run(f);
	is("d", SCANSTATE_KEY, SCANCAUSE_NONE);
	assert_string_equal(told[nr_told - 2].label, "");
}

static void a_copy_in_which_a_key_is_found_is_watched(void **state)
{
	struct fixture *f = *state;
	struct scans_stats stats;

	shell(f->dir, NULL, 0, "ssh-keygen -q -t ed25519 -N '' -f k");
	copied(f, "plain", "cp k plain");
	copied(f, "tgz", "tar czf tgz k");
	copied(f, "xz", "tar cJf xz k");
	copied(f, "b64", "base64 -w 0 k >b64"); /* which the scanner reads */
	copied(f, "hex", "od -An -tx1 k >hex"); /* and this it does not */
	assert_int_equal(nr_told, 0); /* that it waits is nobody's business */
	run_copies_out(f);
	is("plain", SCANSTATE_KEY, SCANCAUSE_NONE);
	is("tgz", SCANSTATE_KEY, SCANCAUSE_NONE);
	is("xz", SCANSTATE_KEY, SCANCAUSE_NONE);
	is("b64", SCANSTATE_KEY, SCANCAUSE_NONE);
	is("hex", SCANSTATE_CLEAN, SCANCAUSE_NONE);
	assert_true(verdict("plain")->scan.copy && verdict("hex")->scan.copy);
	assert_true(verdict("plain")->scan.object && !verdict("hex")->scan.object);
	assert_int_equal(nr_marked, 4);
	/* Written again, with no key in it: not watched any more. */
	copied(f, "plain", "echo nothing >plain");
	run_copies_out(f);
	is("plain", SCANSTATE_CLEAN, SCANCAUSE_NONE);
	assert_int_equal(nr_unmarked, 1);
	scans_stats(f->scans, &stats);
	assert_int_equal(stats.copies_kept, 4);
	assert_int_equal(stats.copies_done[SCANSTATE_CLEAN], 2);
	assert_int_equal(stats.done[SCANSTATE_KEY] + stats.taken, 0);
}

static void what_has_no_name_is_not_followed(void **state)
{
	struct fixture *f = *state;

	shell(f->dir, NULL, 0,
	      "openssl genpkey -algorithm ed25519 -aes256 -pass pass:x -out sealed 2>&1");
	copied(f, "sealed", NULL);
	run_copies_out(f);
	is("sealed", SCANSTATE_KEY, SCANCAUSE_NONE);
	assert_int_equal(verdict("sealed")->scan.object, 0);
	assert_int_equal(nr_marked, 0);
}

static void a_copy_keeps_no_dump_waiting(void **state)
{
	struct fixture *f = *state;

	f->scans->program = enemy(f, "exec sleep 1000");
	copied(f, "a", "echo a >a");
	assert_true(f->scans->copy_runs);
	copied(f, "b", "echo b >b");
	written(f, "dump", "echo d >dump", false);
	is("dump", SCANSTATE_SCANNING, SCANCAUSE_NONE);
	assert_int_equal(f->scans->nr_running, 1);
	assert_int_equal(scanq_count(f->scans->copies), 1);
}

/* Anybody can have dumps scanned all the time. */
static void a_dump_keeps_no_copy_waiting(void **state)
{
	struct fixture *f = *state;

	f->scans->program = enemy(f, "exec sleep 1000");
	written(f, "dump", "echo d >dump", false);
	written(f, "waits", "echo w >waits", false);
	f->scans->program = real_program();
	shell(f->dir, NULL, 0, "ssh-keygen -q -t ed25519 -N '' -f k");
	copied(f, "plain", "cp k plain");
	assert_true(f->scans->copy_runs);
	run_copies_out(f);
	is("plain", SCANSTATE_KEY, SCANCAUSE_NONE);
	assert_int_equal(f->scans->nr_running, 1);
	copied(f, "tgz", "tar czf tgz k");
	run_copies_out(f);
	is("tgz", SCANSTATE_KEY, SCANCAUSE_NONE);
}

/* What a copy is scanned for, and within which bounds, is another thing. */
static void the_verdict_on_a_copy_is_none_on_a_dump(void **state)
{
	struct fixture *f = *state;
	struct scans_stats stats;

	f->scans->program = enemy(f, "kill -XCPU $$");
	copied(f, "a", "echo a >a");
	run_copies_out(f);
	is("a", SCANSTATE_UNSCANNED, SCANCAUSE_TIME);
	f->scans->program = real_program();
	copied(f, "a", NULL); /* nor is that it could not be scanned */
	run_copies_out(f);
	is("a", SCANSTATE_CLEAN, SCANCAUSE_NONE);
	copied(f, "a", NULL);
	scans_stats(f->scans, &stats);
	assert_int_equal(stats.known, 1);
	assert_int_equal(stats.copies_taken, 2);
	written(f, "a", NULL, false);
	run(f);
	is("a", SCANSTATE_CLEAN, SCANCAUSE_NONE);
	assert_false(verdict("a")->scan.copy);
	scans_stats(f->scans, &stats);
	assert_int_equal(stats.known, 1);
	assert_int_equal(stats.done[SCANSTATE_CLEAN], 1);
}

static void what_subordinate_uids_own_counts_for_their_owner(void **state)
{
	struct fixture *f = *state;
	struct scan *scan;

	f->scans->program = enemy(f, "exec sleep 1000");
	copied(f, "a", "echo a >a");
	account = 1234567;
	copied(f, "b", "echo b >b");
	scan = (struct scan *)scanq_take(f->scans->copies);
	assert_non_null(scan);
	assert_int_equal(scan->item.owner, 1234567);
	assert_int_equal(scan->event.scan.owner, getuid());
	scan_free(scan);
}

static void add_keys(struct scan_verdict *verdict, size_t nr, enum key_kind kind)
{
	while (nr--) {
		struct found_key *key = &verdict->keys[verdict->nr_keys++];

		key->finding.what = kind == KEY_NONE ? FINDING_TOKEN : FINDING_STRUCTURE;
		key->finding.class = CLASS_PROVEN;
		key->finding.id.kind = kind;
		snprintf(key->finding.id.ssh_fp, sizeof(key->finding.id.ssh_fp), "SHA256:%zu", nr);
	}
}

static size_t told_with_name(void)
{
	size_t nr = 0;

	for (size_t i = 0; i < nr_told; i++)
		nr += told[i].type == EVENT_SCAN_KEY && told[i].key.key.kind != KEY_NONE;
	return nr;
}

static void tokens_before_it_hide_no_key(void **state)
{
	struct fixture *f = *state;
	struct scan *scan = calloc(1, sizeof(*scan));
	struct scan_verdict *verdict = &scan->tally.verdict;

	scan->owner = f->scans;
	verdict->keys = calloc(300, sizeof(*verdict->keys));
	add_keys(verdict, 100, KEY_NONE);
	assert_int_equal(count_named(verdict), 0);
	tell_keys(scan);
	assert_int_equal(nr_told, KEYS_TOLD);
	assert_int_equal(told_with_name(), 0);
	nr_told = 0;
	add_keys(verdict, 1, KEY_ED25519);
	assert_int_equal(count_named(verdict), 1);
	tell_keys(scan);
	assert_int_equal(nr_told, KEYS_TOLD);
	assert_int_equal(told_with_name(), 1);
	nr_told = 0;
	add_keys(verdict, 100, KEY_ED25519);
	add_keys(verdict, 50, KEY_NONE);
	tell_keys(scan); /* nor do keys hide what is worse */
	assert_int_equal(nr_told, KEYS_TOLD);
	assert_int_equal(told_with_name(), KEYS_TOLD / 2);
	free(verdict->keys);
	free(scan);
}

/* Its verdict is of what it was. */
static void a_copy_that_was_touched_stays_watched(void **state)
{
	struct fixture *f = *state;
	struct scans_stats stats;
	char script[2 * PATH_MAX];

	shell(f->dir, NULL, 0, "ssh-keygen -q -t ed25519 -N '' -f k");
	copied(f, "plain", "cp k plain");
	run_copies_out(f);
	assert_int_equal(nr_marked, 1);
	snprintf(script, sizeof(script), "chmod 700 %s/plain; exec %s \"$@\"", f->dir,
		 real_program());
	f->scans->program = enemy(f, script);
	copied(f, "plain", "echo nothing >plain");
	run_copies_out(f);
	is("plain", SCANSTATE_CLEAN, SCANCAUSE_NONE);
	assert_int_equal(nr_unmarked, 0);
	f->scans->program = real_program();
	copied(f, "plain", NULL);
	run_copies_out(f);
	assert_int_equal(nr_unmarked, 1);
	scans_stats(f->scans, &stats);
	assert_int_equal(stats.copies_kept, 1);
}

/* It is looked at once more by itself: nobody closes it for that. */
static void a_copy_that_was_only_touched_is_scanned_again(void **state)
{
	struct fixture *f = *state;
	struct scans_stats stats;
	char script[4 * PATH_MAX];

	shell(f->dir, NULL, 0, "ssh-keygen -q -t ed25519 -N '' -f k");
	copied(f, "plain", "cp k plain");
	run_copies_out(f);
	assert_int_equal(nr_marked, 1);
	snprintf(script, sizeof(script),
		 "cd %s; [ -e once ] || { : >once; chmod 700 plain; }; exec %s \"$@\"", f->dir,
		 real_program());
	f->scans->program = enemy(f, script);
	copied(f, "plain", "echo nothing >plain");
	run_copies_out(f);
	is("plain", SCANSTATE_CLEAN, SCANCAUSE_NONE);
	assert_int_equal(nr_unmarked, 1);
	assert_int_equal(verdict("plain")->scan.object, 0);
	scans_stats(f->scans, &stats);
	assert_int_equal(stats.copies_taken, 3);
	/* Who is at it all the time has it scanned once more, not on and on. */
	f->scans->program = real_program();
	copied(f, "plain", "cp k plain");
	run_copies_out(f);
	assert_int_equal(nr_marked, 2);
	snprintf(script, sizeof(script), "cd %s; chmod 700 plain; exec %s \"$@\"", f->dir,
		 real_program());
	f->scans->program = enemy(f, script);
	copied(f, "plain", "echo nothing >plain");
	run_copies_out(f);
	assert_int_equal(nr_unmarked, 1);
	scans_stats(f->scans, &stats);
	assert_int_equal(stats.copies_taken, 6);
}

/* The path of NAME as it is told, and for a copy as it is watched. */
static const char *path_of(struct fixture *f, const char *name)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	return path;
}

static void is_watched_as(struct fixture *f, uint64_t object, const char *name)
{
	char path[PATH_MAX];

	assert_true(watcher_path(f->app.watcher, object, path, sizeof(path)) >= 0);
	assert_string_equal(path, path_of(f, name));
}

/* Whole, and moved to its own name, after it was told and before it is watched. */
static void what_is_moved_to_its_name_has_that(void **state)
{
	struct fixture *f = *state;
	char script[4 * PATH_MAX];

	f->by_path = true;
	shell(f->dir, NULL, 0, "ssh-keygen -q -t ed25519 -N '' -f k; mkdir done");
	snprintf(script, sizeof(script), "cd %s; mv .part done/whole; exec %s \"$@\"", f->dir,
		 real_program());
	f->scans->program = enemy(f, script);
	copied(f, ".part", "cp k .part");
	run_copies_out(f);
	is(path_of(f, "done/whole"), SCANSTATE_KEY, SCANCAUSE_NONE);
	is_watched_as(f, verdict(path_of(f, "done/whole"))->scan.object, "done/whole");
	/* Watched already. */
	snprintf(script, sizeof(script), "cd %s; mv done/whole done/next; exec %s \"$@\"", f->dir,
		 real_program());
	f->scans->program = enemy(f, script);
	copied(f, "done/whole", "cat k k >done/whole");
	run_copies_out(f);
	is(path_of(f, "done/next"), SCANSTATE_KEY, SCANCAUSE_NONE);
	is_watched_as(f, verdict(path_of(f, "done/next"))->scan.object, "done/next");
	/* Gone is no name; nor has what was told by another path than ours (a container's) ours. */
	snprintf(script, sizeof(script), "cd %s; rm -f gone; mv a b; exec %s \"$@\"", f->dir,
		 real_program());
	f->scans->program = enemy(f, script);
	copied(f, "gone", "cp k gone; : >a");
	run_copies_out(f);
	is(path_of(f, "gone"), SCANSTATE_KEY, SCANCAUSE_NONE);
	f->by_path = false;
	copied(f, "a", "cp k a");
	run_copies_out(f);
	is("a", SCANSTATE_KEY, SCANCAUSE_NONE);
}

static void copies_that_took_long_wait_for_their_share(void **state)
{
	struct fixture *f = *state;
	const uint64_t now = app_boottime();

	/* 2 s too much: a tenth of 20 s. */
	shares_charge(&f->scans->shares, getuid(), now, COPIES_SPARE_NS + 2000000000);
	copied(f, "a", "echo a >a");
	assert_false(f->scans->copy_runs);
	assert_int_equal(scanq_count(f->scans->copies), 1);
	assert_non_null(f->scans->copies_timer);
	f->scans->shares.items[0].at = now - 19000000000;
	run_next(f->scans);
	assert_false(f->scans->copy_runs);
	f->scans->shares.items[0].at -= 2000000000;
	run_next(f->scans);
	assert_true(f->scans->copy_runs);
	run_copies_out(f);
	is("a", SCANSTATE_CLEAN, SCANCAUSE_NONE);
	/* And by the timer, a moment too much. */
	f->scans->shares.items[0].spent = COPIES_SPARE_NS + 10000000;
	f->scans->shares.items[0].at = app_boottime();
	copied(f, "b", "echo b >b");
	assert_false(f->scans->copy_runs);
	run_copies_out(f);
	is("b", SCANSTATE_CLEAN, SCANCAUSE_NONE);
}

/* Who has used up his time keeps no other waiting, nor who fills the queue. */
static void the_turn_is_his_who_has_used_least(void **state)
{
	struct fixture *f = *state;
	const struct event_scan about = {.copy = true};
	struct scan *scan;
	uint64_t cost;
	int fd;

	shares_charge(&f->scans->shares, getuid(), app_boottime(), 2 * COPIES_SPARE_NS);
	copied(f, "a", "echo a >a");
	assert_false(f->scans->copy_runs);
	shell(f->dir, NULL, 0, "echo b >b");
	fd = open(f->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(new_scan(f->scans, fd, &about, span_of("b"), false, &scan), 0);
	close(fd);
	scan->item.owner = getuid() + 1;
	enqueue(f->scans, scan);
	assert_true(f->scans->copy_runs); /* as nothing waits but what is his who waits for time */
	assert_null(
		scanq_take_cheapest(f->scans->copies, cost_of, f->scans, COPIES_SPARE_NS, &cost));
	assert_int_equal(scanq_count(f->scans->copies), 1);
	assert_true(cost > COPIES_SPARE_NS);
}

static void copies_that_find_no_place_are_told_now_and_then(void **state)
{
	struct fixture *f = *state;
	struct scans_stats stats;
	char name[16], command[32];

	f->scans->program = enemy(f, "exec sleep 1000");
	for (int i = 0; i < COPIES_OWNER_MAX + 3; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		snprintf(command, sizeof(command), "echo %d >f%d", i, i);
		copied(f, name, command);
	}
	scans_stats(f->scans, &stats);
	assert_int_equal(stats.copies_unscanned[SCANCAUSE_QUEUE], 2);
	assert_int_equal(nr_told, 2);
	assert_int_equal(nr_health, 1);
	assert_non_null(strstr(health, "copy-queue: "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		CASE(a_dump_waits_is_scanned_and_has_a_verdict),
		CASE(a_file_that_is_gone_is_scanned_all_the_same),
		CASE(what_is_not_scanned_has_its_cause),
		CASE(a_full_queue_names_what_it_gives_up),
		CASE(what_waits_survives_a_reload),
		CASE(a_known_key_has_its_label),
		CASE(a_copy_in_which_a_key_is_found_is_watched),
		CASE(what_has_no_name_is_not_followed),
		CASE(a_copy_keeps_no_dump_waiting),
		CASE(a_dump_keeps_no_copy_waiting),
		CASE(the_verdict_on_a_copy_is_none_on_a_dump),
		CASE(what_subordinate_uids_own_counts_for_their_owner),
		CASE(tokens_before_it_hide_no_key),
		CASE(a_copy_that_was_touched_stays_watched),
		CASE(a_copy_that_was_only_touched_is_scanned_again),
		CASE(what_is_moved_to_its_name_has_that),
		CASE(copies_that_took_long_wait_for_their_share),
		CASE(the_turn_is_his_who_has_used_least),
		CASE(copies_that_find_no_place_are_told_now_and_then),
	};

	/* As the daemon does: the loop's signals are none of this test's. */
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
