// SPDX-License-Identifier: GPL-2.0-or-later
/* Searches the memory of living processes for keys. */
#include "cli/sweep.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "cli/scan_progress.h"
#include "scan/scanner.h"

struct run {
	const struct sweep_config *config;
	struct scan_progress progress;
	char name[64]; /* of the process, with how far the sweep is */
	struct sweep_counts counts;
};

struct job {
	struct run *run;
	struct scan_verdict verdict;
	bool open;
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static int on_about(void *userdata, const struct scan_about *about)
{
	struct job *job = userdata;

	if (job->open) /* the memory of a process is one dump */
		return -EBADMSG;
	scan_verdict_init(&job->verdict, about);
	job->open = true;
	return 0;
}

static int on_finding(void *userdata, const struct finding *finding)
{
	struct job *job = userdata;

	return scan_verdict_add(&job->verdict, finding);
}

static void on_progress(void *userdata, uint64_t done, uint64_t total)
{
	struct job *job = userdata;

	scan_progress_show(&job->run->progress, done, total, now_ns());
}

/* --- what was found -----------------------------------------------------------------------------
 */

static void name_key(const struct finding *f, char out[160])
{
	const struct key_identity *id = &f->id;

	if (id->ssh_fp[0]) {
		snprintf(out, 160, "%s", id->ssh_fp);
	} else if (id->has_spki) {
		size_t at = (size_t)snprintf(out, 160, "spki:");

		for (size_t i = 0; i < sizeof(id->spki); i++)
			at += (size_t)snprintf(out + at, 160 - at, "%02x", id->spki[i]);
	} else if (id->keygrip[0]) {
		snprintf(out, 160, "keygrip:%s", id->keygrip);
	} else {
		snprintf(out, 160, "without a public name");
	}
}

static int take_key(struct process_facts *facts, const struct found_key *found)
{
	struct held_key *key = process_add_key(facts);
	const struct finding *f = &found->finding;

	if (!key)
		return facts->keys_left_out ? 0 : -ENOMEM;
	name_key(f, key->name);
	snprintf(key->label, sizeof(key->label), "%s", found->label ? found->label : f->id.comment);
	snprintf(key->kind, sizeof(key->kind), "%s",
		 f->id.kind ? key_kind_str(f->id.kind) : finding_what_str(f->what));
	if (f->bits)
		snprintf(key->kind + strlen(key->kind), sizeof(key->kind) - strlen(key->kind),
			 " %u", f->bits);
	for (size_t i = 0; i < found->nr_places; i++)
		if (found->places[i].has_vaddr)
			held_key_add_place(key, found->places[i].vaddr);
		else
			key->places_left_out++; /* it is there, and nobody can tell in which page */
	key->places_left_out += found->places_left_out;
	return 0;
}

static int take_keys(const struct run *run, struct scan_verdict *verdict,
		     struct process_facts *facts)
{
	int err = 0;

	scan_known_names(run->config->known, verdict);
	scan_verdict_sort(verdict);
	for (size_t i = 0; i < verdict->nr_keys && !err; i++) {
		const struct found_key *key = &verdict->keys[i];

		if (key->finding.what == FINDING_TOKEN ||
		    (run->config->only_known ? !key->finding.ref : !found_key_counts(key)))
			continue;
		err = take_key(facts, key);
	}
	return err;
}

/* --- one process --------------------------------------------------------------------------------
 */

static int scan(struct run *run, uint32_t pid, struct job *job)
{
	static const struct scanner_events events = {on_about, on_finding, on_progress};
	_cleanup_close_ int maps = -1, mem = -1;
	struct scanner_input input = {
		.pid = pid,
		.options = run->config->scan,
		.cpu_seconds = run->config->cpu_seconds,
	};
	char path[64];

	snprintf(path, sizeof(path), "/proc/%u/maps", pid);
	maps = root_fd(run->config->root, path, O_RDONLY);
	if (maps < 0)
		return maps == -ENOENT ? -ESRCH : maps;
	snprintf(path, sizeof(path), "/proc/%u/mem", pid);
	mem = root_fd(run->config->root, path, O_RDONLY);
	if (mem < 0)
		return mem == -ENOENT ? -ESRCH : mem;
	input.fd = mem;
	input.maps_fd = maps;
	return scanner_run(&input, &events, job);
}

/* Is what has this number still the process that was looked at, and the same program? */
static bool is_same(const struct run *run, const struct process_facts *facts)
{
	struct process_facts now;

	if (process_facts(run->config->root, facts->pid, &now) < 0)
		return false;
	return now.start == facts->start && !strcmp(now.exe, facts->exe);
}

static int give(struct run *run, struct job *job, struct process_facts *facts, sweep_fn each,
		void *userdata)
{
	uint32_t pid = facts->pid;
	int err = take_keys(run, &job->verdict, facts);
	bool partly = job->verdict.flags & (SCAN_FLAGS_PARTIAL & ~SCAN_UNREADABLE);

	if (!err && facts->nr_keys)
		partly |= process_map_places(run->config->root, facts) < 0;
	if (err < 0 || !is_same(run, facts)) {
		process_facts_fini(facts);
		run->counts.gone += !err;
		return err;
	}
	facts->swept = true;
	run->counts.looked_at++;
	run->counts.holders += facts->nr_keys > 0;
	run->counts.partly += partly;
	return each(userdata, pid, facts, 0);
}

static int look_at(struct run *run, uint32_t pid, sweep_fn each, void *userdata)
{
	struct job job = {.run = run};
	struct process_facts facts;
	int err = process_facts(run->config->root, pid, &facts);

	if (!err && facts.kernel_thread) {
		run->counts.kernel_threads++;
		process_facts_fini(&facts);
		return 0;
	}
	if (!err) {
		err = scan(run, pid, &job);
		scan_progress_clear(&run->progress);
		if (!err && job.open)
			err = give(run, &job, &facts, each, userdata);
		else
			process_facts_fini(&facts);
		if (job.open)
			scan_verdict_fini(&job.verdict);
		if (!err)
			return 0;
	}
	if (err == -ENOMEM)
		return err;
	run->counts.gone += err == -ESRCH;
	run->counts.denied += err == -EACCES;
	run->counts.failed += err != -ESRCH && err != -EACCES;
	return each(userdata, pid, NULL, err);
}

int sweep(const struct sweep_config *config, const uint32_t *pids, size_t nr, sweep_fn each,
	  void *userdata, struct sweep_counts *out_counts)
{
	struct run run = {.config = config};
	int err = 0;

	scan_progress_init(&run.progress);
	run.progress.shown &= config->progress;
	for (size_t i = 0; i < nr && err >= 0; i++) {
		if (pids[i] == (uint32_t)getpid())
			continue;
		snprintf(run.name, sizeof(run.name), "process %u, %zu of %zu", pids[i], i + 1, nr);
		scan_progress_start(&run.progress, run.name, now_ns());
		err = look_at(&run, pids[i], each, userdata);
	}
	*out_counts = run.counts;
	return err < 0 ? err : 0;
}

bool sweep_pid(const char *text, uint32_t *out_pid)
{
	unsigned long long n;
	char *end;

	errno = 0;
	n = strtoull(text, &end, 10);
	if (errno || *text < '1' || *text > '9' || *end || n > INT32_MAX)
		return false;
	*out_pid = (uint32_t)n;
	return true;
}

static int ascending(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

int sweep_list(const struct root *root, uint32_t **out_pids, size_t *out_nr)
{
	_cleanup_closedir_ DIR *dir = NULL;
	_cleanup_free_ uint32_t *pids = NULL;
	size_t nr = 0, room = 0;
	int fd = root_fd(root, "/proc", O_RDONLY | O_DIRECTORY);
	struct dirent *entry;

	if (fd < 0)
		return fd;
	dir = fdopendir(fd);
	if (!dir) {
		fd_close(fd);
		return -errno;
	}
	while ((entry = readdir(dir))) {
		uint32_t pid;

		if (!sweep_pid(entry->d_name, &pid))
			continue;
		if (nr == room) {
			uint32_t *more =
				reallocarray(pids, room = room ? room * 2 : 256, sizeof(*more));

			if (!more)
				return -ENOMEM;
			pids = more;
		}
		pids[nr++] = pid;
	}
	if (nr)
		qsort(pids, nr, sizeof(*pids), ascending);
	*out_pids = take_ptr(pids);
	*out_nr = nr;
	return 0;
}
