// SPDX-License-Identifier: GPL-2.0-or-later
/* What an executable is, beyond its path. */
#include "trust/inspect.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "trust/digest.h"
#include "trust/dpkg.h"
#include "trust/verity.h"

#define KNOWN_MAX   1024 /* of which the one that was asked for first gives way */
#define JOBS_MAX    64
#define JOBS_OTHERS 32 /* of them what is not wanted first */
#define SEEN_NS	    1000000000ULL /* what no rule asks for is not looked at more often */
#define NICE_OTHERS 19
#define TOLD_AGAIN  512 /* after so many others were told, so before a listener forgets */

/* Of the file's content. The time moves with the timer before 6.13: the size often tells more. */
struct version {
	struct timespec ctime;
	int64_t size; /* -1: none */
};

struct known {
	struct inode_id id;
	struct version version;
	bool done; /* else it waits, or is being looked at */
	uint64_t seen_ns; /* CLOCK_MONOTONIC, when it was last found unchanged */
	uint64_t told; /* when, in tellings */
	enum package_state state;
	char digest[DIGEST_TEXT];
	char package[PACKAGE_MAX];
	char verity[VERITY_TEXT];
};

/* To the thread, and back. */
struct job {
	int fd; /* open for reading */
	struct inode_id id;
	struct version version;
	int error;
	bool first; /* as inspect_want() */
	char path[PATH_MAX];
	enum package_state state;
	bool unread; /* the database of rpm did not answer */
	char digest[DIGEST_TEXT];
	char package[PACKAGE_MAX];
	char verity[VERITY_TEXT];
};

struct inspect {
	const struct inspect_ops *ops;
	void *userdata;
	const char *info;
	const struct rpm_reader *rpm;
	struct known known[KNOWN_MAX];
	uint32_t nr_known, next_known;
	uint64_t tellings;
	struct inspect_stats stats;
	int event_fd;
	pthread_t thread;
	bool has_thread;
	int nice; /* of what is wanted first: the daemon's */
	/* What follows is shared with the thread. */
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool stop;
	pid_t tid; /* 0: it has not begun yet */
	struct job *jobs[JOBS_MAX], *done[JOBS_MAX]; /* oldest first */
	uint32_t nr_jobs,
		nr_done; /* both together, and the one in hand, never more than JOBS_MAX */
};

static void job_free(struct job *job)
{
	if (!job)
		return;
	fd_close(job->fd);
	free(job);
}

/* --- the thread --------------------------------------------------------------------------------
 */

bool inspect_package(const char *info, const struct rpm_reader *rpm, const char *path,
		     const char *sha256, const char *md5, char out_package[static PACKAGE_MAX],
		     enum package_state *out_state)
{
	int r;

	dpkg_find(info, path, md5, out_package, out_state);
	if (*out_state != PACKAGE_NONE && *out_state != PACKAGE_UNKNOWN)
		return true;
	r = rpm_find(rpm, path, sha256, md5, out_package, out_state);
	if (r < 0 && r != -ENOENT)
		*out_state = PACKAGE_UNKNOWN;
	return r >= 0 || r == -ENOENT;
}

static void look(const struct inspect *in, struct job *job)
{
	char md5[DIGEST_MD5];

	(void)verity_measure(job->fd, job->verity);
	job->error = digest_file(job->fd, INSPECT_FILE_MAX, job->digest, md5);
	if (!job->error)
		job->unread = !inspect_package(in->info, in->rpm, job->path, job->digest, md5,
					       job->package, &job->state);
}

/*
 * What a rule asks for somebody waits for, who is refused meanwhile: it is not left to when the
 * processors are idle. Nor is what is in hand when that comes. Of the thread alone, on Linux; with
 * the lock.
 */
static void set_pace(const struct inspect *in, bool first)
{
	(void)setpriority(PRIO_PROCESS, (id_t)in->tid, first ? in->nice : NICE_OTHERS);
}

/* Who has stepped back may not step forth again, but for this limit or by CAP_SYS_NICE. */
static void keep_way_back(int nice)
{
	const rlim_t need = (rlim_t)(20 - nice);
	struct rlimit limit;

	if (getrlimit(RLIMIT_NICE, &limit) < 0 || limit.rlim_cur >= need)
		return;
	limit.rlim_cur = need;
	if (limit.rlim_max < need)
		limit.rlim_max = need;
	(void)setrlimit(RLIMIT_NICE, &limit);
}

static void *work(void *arg)
{
	struct inspect *in = arg;
	struct job *job;

	pthread_mutex_lock(&in->lock);
	in->tid = gettid();
	for (;;) {
		while (!in->nr_jobs && !in->stop)
			pthread_cond_wait(&in->wake, &in->lock);
		if (in->stop)
			break;
		job = in->jobs[0];
		memmove(&in->jobs[0], &in->jobs[1], --in->nr_jobs * sizeof(in->jobs[0]));
		set_pace(in, job->first);
		pthread_mutex_unlock(&in->lock);
		look(in, job);
		pthread_mutex_lock(&in->lock);
		in->done[in->nr_done++] = job;
		(void)!eventfd_write(in->event_fd, 1);
	}
	pthread_mutex_unlock(&in->lock);
	return NULL;
}

/* --- the daemon's side -------------------------------------------------------------------------
 */

int inspect_new(const struct inspect_ops *ops, void *userdata, const char *info,
		const struct rpm_reader *rpm, struct inspect **out_inspect)
{
	struct inspect *in = calloc(1, sizeof(*in));
	sigset_t all, before;
	int r;

	if (!in)
		return -ENOMEM;
	in->ops = ops;
	in->userdata = userdata;
	in->info = info;
	in->rpm = rpm;
	pthread_mutex_init(&in->lock, NULL);
	pthread_cond_init(&in->wake, NULL);
	in->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = in->event_fd < 0 ? -errno : 0;
	in->nice = getpriority(PRIO_PROCESS, 0);
	keep_way_back(in->nice);
	if (!r) {
		/* Signals are the main thread's. */
		sigfillset(&all);
		pthread_sigmask(SIG_SETMASK, &all, &before);
		r = -pthread_create(&in->thread, NULL, work, in);
		pthread_sigmask(SIG_SETMASK, &before, NULL);
		in->has_thread = !r;
	}
	if (r < 0) {
		inspect_free(in);
		return r;
	}
	*out_inspect = in;
	return 0;
}

void inspect_free(struct inspect *in)
{
	if (!in)
		return;
	if (in->has_thread) {
		pthread_mutex_lock(&in->lock);
		in->stop = true;
		pthread_cond_signal(&in->wake);
		pthread_mutex_unlock(&in->lock);
		pthread_join(in->thread, NULL);
	}
	for (uint32_t i = 0; i < in->nr_jobs; i++)
		job_free(in->jobs[i]);
	for (uint32_t i = 0; i < in->nr_done; i++)
		job_free(in->done[i]);
	pthread_cond_destroy(&in->wake);
	pthread_mutex_destroy(&in->lock);
	fd_close(in->event_fd);
	free(in);
}

int inspect_fd(const struct inspect *in)
{
	return in->event_fd;
}

static void tell(struct inspect *in, struct known *known)
{
	const struct event_program program = {
		.inode = known->id,
		.state = known->state,
		.digest = span_of(known->digest),
		.package = span_of(known->package),
		.verity = span_of(known->verity),
	};

	known->told = ++in->tellings;
	in->ops->told(in->userdata, &program);
}

static struct known *find(struct inspect *in, const struct inode_id *id)
{
	for (uint32_t i = 0; i < in->nr_known; i++)
		if (inode_id_same(&in->known[i].id, id) && in->known[i].id.gen == id->gen)
			return &in->known[i];
	return NULL;
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static struct version version_of(const struct stat *st)
{
	return (struct version){st->st_ctim, st->st_size};
}

static bool same_version(const struct version *a, const struct version *b)
{
	return a->ctime.tv_sec == b->ctime.tv_sec && a->ctime.tv_nsec == b->ctime.tv_nsec &&
	       a->size == b->size;
}

void inspect_answer(struct inspect *in)
{
	struct job *done[JOBS_MAX];
	eventfd_t nr;
	uint32_t n;

	(void)!eventfd_read(in->event_fd, &nr);
	pthread_mutex_lock(&in->lock);
	n = in->nr_done;
	memcpy(done, in->done, n * sizeof(done[0]));
	in->nr_done = 0;
	pthread_mutex_unlock(&in->lock);
	for (uint32_t i = 0; i < n; i++) {
		struct job *job = done[i];
		struct known *known = find(in, &job->id);

		in->stats.waiting--;
		in->stats.unread += job->unread;
		if (job->error)
			in->stats.failed++;
		else
			in->stats.done++;
		/* Else it has changed since, or was forgotten. */
		if (known && same_version(&known->version, &job->version)) {
			known->done = true;
			/* A failure is told, so that nobody waits, and the next access tries again.
			 */
			if (job->error && job->error != -EFBIG)
				known->version.size = -1;
			known->state = job->state;
			memcpy(known->digest, job->digest, sizeof(known->digest));
			memcpy(known->package, job->package, sizeof(known->package));
			memcpy(known->verity, job->verity, sizeof(known->verity));
			tell(in, known); /* also that nothing could be found out */
		}
		job_free(job);
	}
}

static struct known *add(struct inspect *in, const struct inode_id *id)
{
	struct known *known = find(in, id);

	if (!known) {
		known = &in->known[in->next_known];
		in->next_known = (in->next_known + 1) % KNOWN_MAX;
		if (in->nr_known < KNOWN_MAX)
			in->nr_known++;
	}
	*known = (struct known){.id = *id};
	return known;
}

/* again: what is known stays until the answer. */
static void put_job(struct inspect *in, int fd, struct span path, const struct inode_id *id,
		    const struct stat *st, bool first, bool again)
{
	struct job *job = NULL;
	struct known *known;

	if (in->stats.waiting < (first ? JOBS_MAX : JOBS_OTHERS) && path.len < PATH_MAX)
		job = calloc(1, sizeof(*job));
	if (!job) {
		in->stats.dropped++;
		fd_close(fd);
		return;
	}
	if (!again) {
		known = add(in, id);
		known->version = version_of(st);
	}
	job->fd = fd;
	job->id = *id;
	job->version = version_of(st);
	job->first = first;
	memcpy(job->path, path.p, path.len);
	in->stats.waiting++;
	pthread_mutex_lock(&in->lock);
	if (first)
		memmove(&in->jobs[1], &in->jobs[0], in->nr_jobs * sizeof(in->jobs[0]));
	in->jobs[first ? 0 : in->nr_jobs] = job;
	in->nr_jobs++;
	if (first && in->tid)
		set_pace(in, true);
	pthread_cond_signal(&in->wake);
	pthread_mutex_unlock(&in->lock);
}

/* Opens the file to be read, unless it is known. -1: nothing to read. */
static int open_file(struct inspect *in, const char *path, const struct inode_id *identity,
		     struct inode_id *out_id, struct stat *out_st)
{
	_cleanup_close_ int at = in->ops->open(in->userdata, path);
	struct known *known;
	struct version now;
	char self[64], verity[VERITY_TEXT];
	int fd;

	if (at < 0 || fstat(at, out_st) < 0 || !S_ISREG(out_st->st_mode) ||
	    in->ops->identify(in->userdata, at, out_id) < 0)
		return -1;
	if (identity && !(inode_id_same(out_id, identity) && out_id->gen == identity->gen))
		return -1;
	known = find(in, out_id);
	if (known)
		known->seen_ns = now_ns();
	now = version_of(out_st);
	if (known && same_version(&known->version, &now))
		return -1;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", at);
	fd = open(self, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	/* Only its mode, owner or links, where the kernel vouches for the content. */
	if (fd >= 0 && known && known->done && known->verity[0] &&
	    known->version.size == now.size && !verity_measure(fd, verity) &&
	    !strcmp(verity, known->verity)) {
		known->version = now;
		close(fd);
		return -1;
	}
	if (known && known->done) { /* changed in place: nobody is told what it was */
		known->done = false;
		known->state = PACKAGE_PENDING;
		known->digest[0] = known->package[0] = known->verity[0] = '\0';
		tell(in, known);
	}
	return fd;
}

void inspect_want(struct inspect *in, struct span path, const struct inode_id *identity, bool first)
{
	char name[PATH_MAX];
	struct known *known;
	struct inode_id id;
	struct stat st;
	int fd = -1;

	known = identity ? find(in, identity) : NULL;
	if (!first && known && now_ns() - known->seen_ns < SEEN_NS)
		return;
	if (path.len && path.p[0] == '/' && path.len < sizeof(name)) {
		snprintf(name, sizeof(name), "%.*s", (int)path.len, path.p);
		fd = open_file(in, name, identity, &id, &st);
	}
	if (fd >= 0)
		put_job(in, fd, path, &id, &st, first, false);
	/* Also of a file that has lost its name since: an upgrade came while it runs. */
	known = identity ? find(in, identity) : NULL;
	if (known && known->done && in->tellings - known->told > TOLD_AGAIN)
		tell(in, known);
}

void inspect_again(struct inspect *in, struct span path, const struct inode_id *identity,
		   bool first)
{
	const struct known *known = find(in, identity);
	_cleanup_close_ int at = -1;
	char name[PATH_MAX], self[64];
	struct version now;
	struct inode_id id;
	struct stat st;
	int fd;

	if (!known || !known->done || !path.len || path.len >= sizeof(name))
		return;
	snprintf(name, sizeof(name), "%.*s", (int)path.len, path.p);
	at = in->ops->open(in->userdata, name);
	if (at < 0 || fstat(at, &st) < 0 || !S_ISREG(st.st_mode) ||
	    in->ops->identify(in->userdata, at, &id) < 0 || !inode_id_same(&id, identity) ||
	    id.gen != identity->gen)
		return;
	now = version_of(&st);
	if (!same_version(&known->version, &now))
		return; /* inspect_want() does it */
	snprintf(self, sizeof(self), "/proc/self/fd/%d", at);
	fd = open(self, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0)
		put_job(in, fd, path, identity, &st, first, true);
}

void inspect_tell(struct inspect *in, const struct inode_id *identity)
{
	struct known *known = find(in, identity);

	if (known && known->done)
		tell(in, known);
}

void inspect_stats(const struct inspect *in, struct inspect_stats *out_stats)
{
	*out_stats = in->stats;
	out_stats->known = in->nr_known;
}
