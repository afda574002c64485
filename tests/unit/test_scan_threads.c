// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Threads of a scan: all take part, fewer will do, what they leave on their stacks is wiped, and
 * the findings do not depend on them; nor does what comes last depend on how much came before.
 */
#include "scan/crew.h"

#include <dlfcn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "scan/detect-aes.h"
#include "scan/dump.h"
#include "scan/scanner.h"
#include "scan/source.h"
#include "scan/windows.h"
#include "unit/numbers.h"

#define STACK_MIN (1 << 20) /* mappings of at least so much are stacks, here */

/* --- between the scanner and the C library --- */

static unsigned threads_left = CREW_MAX; /* that can be had */
/* Shared with forks: threads; their stacks that were given back, and that were not wiped then. */
static struct counts {
	unsigned hired, back, dirty;
} * counts;

/* ThreadSanitizer has to see them itself; what counts them is skipped then. */
#if !defined(__SANITIZE_THREAD__)
int pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *), void *arg)
{
	int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *) =
		(__typeof__(real))dlsym(RTLD_NEXT, "pthread_create");

	if (!threads_left)
		return EAGAIN;
	threads_left--;
	counts->hired++;
	return real(thread, attr, start, arg);
}

/* The upper part of the mapping, as a guard may stand below. */
static bool is_wiped(const uint8_t *p, size_t len)
{
	const uint64_t *words = (const uint64_t *)(p + len - STACK_MIN);
	uint64_t all = 0;

	for (size_t i = 0; i < STACK_MIN / sizeof(*words); i++)
		all |= words[i];
	return !all;
}

int munmap(void *p, size_t len)
{
	if (len >= STACK_MIN && len < STACK_MIN + (256 << 10)) {
		counts->back++;
		counts->dirty += !is_wiped(p, len);
	}
	return (int)syscall(SYS_munmap, p, len);
}
#endif

/* --- findings --- */

#define SEEN_MAX 256

struct seen {
	struct finding items[SEEN_MAX];
	unsigned nr;
	struct finding end;
};

static int see(void *userdata, const struct finding *finding)
{
	struct seen *seen = userdata;

	if (finding->what == FINDING_END) {
		seen->end = *finding;
		return 0;
	}
	assert_true(seen->nr < SEEN_MAX);
	seen->items[seen->nr] = *finding;
	seen->items[seen->nr++].tag = 0; /* under a key of this scan's own */
	return 0;
}

static int compare(const void *a, const void *b)
{
	uint8_t x[FINDING_SIZE], y[FINDING_SIZE];

	finding_encode(a, x);
	finding_encode(b, y);
	return memcmp(x, y, sizeof(x));
}

static void scan(int fd, unsigned workers, struct seen *seen)
{
	static const struct dump_events events = {.found = see};
	struct dump_input input = {.fd = fd, .maps_fd = -1, .options.workers = workers};

	seen->nr = 0;
	dump_start(&input);
	assert_int_equal(dump_scan(&input, &events, seen), 0);
	dump_stop(&input);
	qsort(seen->items, seen->nr, sizeof(seen->items[0]), compare);
}

static void assert_same(const struct seen *a, const struct seen *b)
{
	assert_int_equal(a->nr, b->nr);
	for (unsigned i = 0; i < a->nr; i++)
		if (compare(&a->items[i], &b->items[i]))
			fail_msg("finding %u: at %llu and at %llu", i,
				 (unsigned long long)a->items[i].offset,
				 (unsigned long long)b->items[i].offset);
	assert_int_equal(compare(&a->end, &b->end), 0);
}

static unsigned count(const struct seen *seen, enum finding_what what)
{
	unsigned nr = 0;

	for (unsigned i = 0; i < seen->nr; i++)
		nr += seen->items[i].what == what;
	return nr;
}

/* --- dumps --- */

struct dump_file {
	uint8_t *p;
	size_t len;
	int fd;
};

static struct dump_file file_new(size_t len)
{
	struct dump_file f = {.len = len, .fd = memfd_create("dump", MFD_CLOEXEC)};

	assert_true(f.fd >= 0);
	assert_int_equal(ftruncate(f.fd, (off_t)len), 0);
	f.p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, f.fd, 0);
	assert_true(f.p != MAP_FAILED);
	return f;
}

static void file_free(struct dump_file *f)
{
	munmap(f->p, f->len);
	close(f->fd);
}

struct rsa {
	uint8_t n[128], p[64], q[64]; /* as limbs */
	EVP_PKEY *pkey;
};

static struct rsa make_rsa(void)
{
	struct rsa rsa = {.pkey = EVP_RSA_gen(1024)};
	BIGNUM *n = NULL, *p = NULL, *q = NULL;

	assert_non_null(rsa.pkey);
	EVP_PKEY_get_bn_param(rsa.pkey, OSSL_PKEY_PARAM_RSA_N, &n);
	EVP_PKEY_get_bn_param(rsa.pkey, OSSL_PKEY_PARAM_RSA_FACTOR1, &p);
	EVP_PKEY_get_bn_param(rsa.pkey, OSSL_PKEY_PARAM_RSA_FACTOR2, &q);
	BN_bn2lebinpad(n, rsa.n, sizeof(rsa.n));
	BN_bn2lebinpad(p, rsa.p, sizeof(rsa.p));
	BN_bn2lebinpad(q, rsa.q, sizeof(rsa.q));
	BN_free(n);
	BN_clear_free(p);
	BN_clear_free(q);
	EVP_PKEY_free(rsa.pkey);
	return rsa;
}

#define STEP 128 /* from one thing to the next: 48 random bytes, which are no number of RSA's */

/*
 * More than the harvest keeps, which is some 98,000 stretches: it is asked and halved several
 * times. Of each MiB that is full another one has little in it, which is sooner looked at.
 */
static struct dump_file overfull(size_t steps)
{
	struct dump_file f = file_new(steps * STEP);

	for (size_t i = 0; i < steps; i += i * STEP / WINDOW_CORE & 1 ? 16 : 1)
		RAND_bytes(f.p + i * STEP, 48);
	return f;
}

/* Amid zeros, over four steps. */
static void put(struct dump_file *f, size_t step, const void *p, size_t len)
{
	memset(f->p + step * STEP, 0, 4 * (size_t)STEP);
	memcpy(f->p + (step + 1) * STEP, p, len);
}

/* --- all take part --- */

#define WORKERS 3

struct meeting {
	pthread_mutex_t lock;
	pthread_cond_t change;
	unsigned pieces[WORKERS]; /* that each has looked at */
	unsigned came, passed[64];
	bool late;
};

/* Who comes waits for the others: so none can have done it all alone. */
static void meet(void *userdata, unsigned worker, const struct window *window)
{
	struct meeting *m = userdata;
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 120;
	pthread_mutex_lock(&m->lock);
	m->came += !m->pieces[worker]++;
	pthread_cond_broadcast(&m->change);
	while (m->came < WORKERS && !m->late)
		m->late = pthread_cond_timedwait(&m->change, &m->lock, &until) != 0;
	pthread_mutex_unlock(&m->lock);
}

static void pass_by(void *userdata, unsigned worker, const struct window *piece)
{
	struct meeting *m = userdata;

	pthread_mutex_lock(&m->lock);
	if (piece->piece < ARRAY_SIZE(m->passed))
		m->passed[piece->piece]++;
	pthread_mutex_unlock(&m->lock);
}

static int one_segment(void *userdata, struct segment *out_segment)
{
	bool *given = userdata;

	if (*given)
		return 0;
	*given = true;
	*out_segment = (struct segment){.len = 8 * WINDOW_CORE};
	return 1;
}

static long fill(void *userdata, const struct segment *segment, void *out, size_t len, uint64_t at)
{
	memset(out, 0x5a, len);
	return (long)len;
}

static void every_thread_looks_at_some_of_it(void **state)
{
	const struct segment segment = {.len = 8 * WINDOW_CORE};
	struct dump_file f = file_new(segment.len);
	_cleanup_source_ struct source *source = NULL;
	_cleanup_windows_ struct windows *windows = NULL;
	_cleanup_crew_ struct crew *crew = NULL;
	atomic_bool stop = false;

	memset(f.p, 0x5a, f.len);
	assert_int_equal(source_new_fd(f.fd, &source), 0);
	assert_int_equal(crew_new(WORKERS, &crew), 0);
	assert_int_equal(crew_workers(crew), WORKERS);
	assert_int_equal(windows_new(crew, &windows), 0);
	for (unsigned stream = 0; stream < 2; stream++) {
		struct meeting m = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER};
		struct windows_pass pass = {
			.align = 8,
			.look = meet,
			.passed = pass_by,
			.userdata = &m,
			.stop = &stop,
		};
		bool given = false;
		const struct windows_stream from = {one_segment, fill, &given};

		assert_int_equal(stream ? windows_of_stream(windows, &pass, &from)
					: windows_of_table(windows, &pass, source, &segment, 1),
				 0);
		assert_false(m.late);
		for (unsigned i = 0; i < WORKERS; i++)
			assert_true(m.pieces[i] > 0);
		/* Each number once, and no other. */
		assert_int_equal(pass.pieces, 8);
		for (unsigned i = 0; i < ARRAY_SIZE(m.passed); i++)
			assert_int_equal(m.passed[i], i < 8);
	}
	file_free(&f);
}

struct stopping {
	atomic_bool stop;
	atomic_uint passed, with_memory;
};

static void stop_at_once(void *userdata, unsigned worker, const struct window *window)
{
	struct stopping *s = userdata;

	s->stop = true;
}

static void count_passed(void *userdata, unsigned worker, const struct window *piece)
{
	struct stopping *s = userdata;

	s->passed++;
	s->with_memory += piece->memory.p != NULL;
}

/* Each number is passed on, as others may wait for it; but there is nothing to work on. */
static void a_pass_that_was_stopped_has_no_more_work(void **state)
{
	const struct segment segment = {.len = 8 * WINDOW_CORE};
	struct dump_file f = file_new(segment.len);
	_cleanup_source_ struct source *source = NULL;
	_cleanup_windows_ struct windows *windows = NULL;

	memset(f.p, 0x5a, f.len);
	assert_int_equal(source_new_fd(f.fd, &source), 0);
	assert_int_equal(windows_new(NULL, &windows), 0);
	for (unsigned stream = 0; stream < 2; stream++) {
		struct stopping s = {.stop = false};
		struct windows_pass pass = {
			.align = 8,
			.look = stop_at_once,
			.passed = count_passed,
			.userdata = &s,
			.stop = &s.stop,
		};
		bool given = false;
		const struct windows_stream from = {one_segment, fill, &given};

		if (stream)
			windows_of_stream(windows, &pass, &from);
		else
			windows_of_table(windows, &pass, source, &segment, 1);
		assert_true(pass.pieces > 0);
		assert_int_equal(s.passed, pass.pieces);
		assert_int_equal(s.with_memory, 0);
	}
	file_free(&f);
}

/* --- fewer will do --- */

static void a_thread_that_is_not_to_be_had_is_done_without(void **state)
{
	static const struct scanner_events events = {.found = see};
	struct dump_file f = file_new(4 * WINDOW_CORE);
	struct rsa rsa = make_rsa();
	struct seen whole = {.nr = 0};

#if defined(__SANITIZE_THREAD__)
	skip();
#endif
	memcpy(f.p + 4096, rsa.n, sizeof(rsa.n));
	memcpy(f.p + 3 * WINDOW_CORE, rsa.p, sizeof(rsa.p));
	threads_left = CREW_MAX;
	scan(f.fd, 3, &whole);
	assert_int_equal(whole.nr, 1);
	for (unsigned left = 0; left < 3; left++) {
		struct scanner_input input = {.fd = f.fd, .maps_fd = -1, .options.workers = 3};
		struct seen seen = {.nr = 0};
		struct crew *crew;

		threads_left = left;
		assert_int_equal(crew_new(3, &crew), 0);
		assert_int_equal(crew_workers(crew), 1 + left);
		crew_free(crew);
		threads_left = left;
		scan(f.fd, 3, &seen);
		assert_same(&seen, &whole);
		/* Behind its walls, too. */
		threads_left = left;
		seen.nr = 0;
		assert_int_equal(scanner_run(&input, &events, &seen), 0);
		assert_same(&seen, &whole);
	}
	threads_left = CREW_MAX;
	file_free(&f);
}

/* --- where memory has a limit --- */

/* In a process with so many bytes of addresses more than it has; true: it found what it should. */
static bool scan_within(int fd, unsigned workers, size_t more, const struct seen *whole)
{
	struct dump_input input = {.fd = fd, .maps_fd = -1, .options.workers = workers};
	static const struct dump_events events = {.found = see};
	struct seen seen = {.nr = 0};
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid) {
		unsigned long pages = 0;
		struct rlimit limit;
		FILE *f = fopen("/proc/self/statm", "re");

		if (!f || fscanf(f, "%lu", &pages) != 1)
			_exit(2);
		fclose(f);
		limit.rlim_cur = limit.rlim_max = pages * (size_t)sysconf(_SC_PAGESIZE) + more;
		if (setrlimit(RLIMIT_AS, &limit) < 0)
			_exit(2);
		dump_start(&input);
		if (dump_scan(&input, &events, &seen) < 0)
			_exit(1);
		dump_stop(&input);
		_exit(seen.nr == whole->nr && !compare(&seen.items[0], &whole->items[0]) ? 0 : 3);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) <= 1);
	return !WEXITSTATUS(status);
}

static void many_threads_do_with_the_memory_that_one_needs(void **state)
{
	const size_t slack = 1 << 20; /* what threads that have ended leave in the heap */
	struct dump_file f = file_new(4 * WINDOW_CORE);
	struct rsa rsa = make_rsa();
	struct seen whole = {.nr = 0};
	size_t more = 4 << 20;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	skip(); /* it has terabytes of addresses */
#endif
	memcpy(f.p + 4096, rsa.n, sizeof(rsa.n));
	memcpy(f.p + 3 * WINDOW_CORE, rsa.p, sizeof(rsa.p));
	threads_left = CREW_MAX;
	scan(f.fd, 1, &whole);
	assert_int_equal(whole.nr, 1);
	while (!scan_within(f.fd, 1, more, &whole)) {
		more += 2 << 20;
		assert_true(more < 256 << 20);
	}
	for (size_t i = 0; i < 32; i++) {
		threads_left = CREW_MAX;
		assert_true(scan_within(f.fd, CREW_MAX, more + slack + i * (2 << 20), &whole));
	}
	file_free(&f);
}

static void mark(void *userdata, unsigned worker)
{
	atomic_uint *came = userdata;

	atomic_fetch_or(came, 1U << worker);
}

static void lead_marks(void *userdata)
{
	mark(userdata, 0);
}

static void a_crew_that_shrank_works_on(void **state)
{
	struct crew *crew;

	threads_left = CREW_MAX;
	assert_int_equal(crew_new(5, &crew), 0);
	for (unsigned workers = 5; workers; workers /= 2) {
		atomic_uint came = 0;

		crew_shrink(crew, workers);
		assert_int_equal(crew_workers(crew), workers);
		crew_run(crew, lead_marks, mark, &came);
		assert_int_equal(came, (1U << workers) - 1);
	}
	crew_free(crew);
}

/* --- stacks --- */

static _Atomic(volatile uint8_t *) left_at; /* where a thread left something on its stack */

__attribute__((noinline)) static void leave_something(void *userdata, unsigned worker)
{
	volatile uint8_t deep[256 * 1024];

	for (size_t i = 0; i < sizeof(deep); i++)
		deep[i] = 0xa5;
	left_at = deep;
}

static void lead_nothing(void *userdata)
{
}

static void stacks_of_threads_are_wiped(void **state)
{
	static const struct scanner_events events = {.found = see};
	struct dump_file f = file_new(4 * WINDOW_CORE);
	struct scanner_input input = {.fd = f.fd, .maps_fd = -1, .options.workers = 3};
	struct seen seen = {.nr = 0};
	struct crew *crew;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	skip(); /* it has stacks of its own making, and looks whose they are that are read */
#endif
	threads_left = CREW_MAX;
	*counts = (struct counts){.hired = 0};
	assert_int_equal(crew_new(2, &crew), 0);
	crew_run(crew, lead_nothing, leave_something, NULL);
	/* It stands there until the thread has ended: the test would see it. */
	assert_int_equal(left_at[4096], 0xa5);
	crew_free(crew);
	assert_int_equal(counts->hired, 1);
	assert_int_equal(counts->back, 1);
	assert_int_equal(counts->dirty, 0);
	/* The walled-in scanner ends its threads, too, before it says its last word. */
	*counts = (struct counts){.hired = 0};
	memset(f.p, 0x5a, f.len);
	assert_int_equal(scanner_run(&input, &events, &seen), 0);
	assert_int_equal(counts->hired, 2);
	assert_int_equal(counts->back, 2);
	assert_int_equal(counts->dirty, 0);
	file_free(&f);
}

/* --- the same by any number --- */

/*
 * Keys of which the parts are as far apart as the harvest reaches, so that which are found is
 * decided by what gives way; and primes that stand there twice, so that which is named is, too.
 */
static _unused_ void any_number_of_threads_finds_the_same(void **state)
{
	const size_t steps = 360000, keys = 24;
	struct dump_file f = overfull(steps);
	struct seen first = {.nr = 0}, seen = {.nr = 0};

	threads_left = UINT32_MAX;
	for (size_t i = 0; i < keys; i++) {
		size_t at = 100 + i * 5000, apart = 70000 + 4500 * i;
		struct rsa rsa = make_rsa();

		put(&f, at, rsa.n, sizeof(rsa.n));
		/* The other prime, as which of many belong together is soon seen with both. */
		put(&f, at + apart - 200, rsa.q, sizeof(rsa.q));
		put(&f, at + apart, rsa.p, sizeof(rsa.p));
		put(&f, at + apart + 8500, rsa.p, sizeof(rsa.p));
	}
	scan(f.fd, 1, &first);
	/* Some are, and some are not: or nothing is decided here. */
	assert_true(first.nr > 0 && first.nr < keys);
	for (unsigned i = 0; i < 6; i++) {
		scan(f.fd, 2 + i % 2, &seen);
		assert_same(&seen, &first);
	}
	file_free(&f);
	threads_left = CREW_MAX;
}

static size_t der_of(EVP_PKEY *pkey, uint8_t *out)
{
	int len = i2d_PrivateKey(pkey, &out);

	EVP_PKEY_free(pkey);
	assert_true(len > 0);
	return (size_t)len;
}

/* Each thread has pieces of its own: what lies over the seam of two is found, and once. */
static void keys_across_seams_are_found_by_any_number(void **state)
{
	struct dump_file f = file_new(14 * WINDOW_CORE);
	struct seen first = {.nr = 0}, seen = {.nr = 0};
	struct rsa rsa = make_rsa();
	uint8_t der[4096], text[8192], aes[32], schedule[240];
	size_t len, nr = 0;

	for (size_t i = 0; i < 4; i++) {
		/* The head's last byte, all but the last byte, and half of it in front. */
		const size_t before[] = {1, 5, 0, 0};
		uint8_t *seam = f.p + ++nr * WINDOW_CORE;

		len = der_of(EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256"), der);
		memcpy(seam - (i < 2 ? before[i] : i == 2 ? len - 1 : len / 2), der, len);
	}
	len = der_of(EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048), der);
	memcpy(text, "-----BEGIN RSA PRIVATE KEY-----\n", 32);
	len = 32 + (size_t)EVP_EncodeBlock(text + 32, der, (int)len);
	memcpy(text + len, "\n-----END RSA PRIVATE KEY-----\n", 31);
	for (size_t i = 0; i < 2; i++)
		memcpy(f.p + ++nr * WINDOW_CORE - (i ? 12 : len / 2), text, len + 31);
	for (size_t i = 0; i < 3; i++) {
		RAND_bytes(aes, sizeof(aes));
		aes_schedule((struct bytes){aes, sizeof(aes)}, false, schedule);
		memcpy(f.p + ++nr * WINDOW_CORE - 8 - i * 112, schedule, sizeof(schedule));
	}
	memcpy(f.p + ++nr * WINDOW_CORE - 64, rsa.n, sizeof(rsa.n));
	memcpy(f.p + ++nr * WINDOW_CORE - 8, rsa.p, sizeof(rsa.p));
	threads_left = UINT32_MAX;
	scan(f.fd, 1, &first);
	assert_int_equal(count(&first, FINDING_STRUCTURE), 6);
	assert_int_equal(count(&first, FINDING_AES), 3);
	assert_int_equal(count(&first, FINDING_RSA), 1);
	for (unsigned i = 0; i < 8; i++) {
		scan(f.fd, i & 1 ? 2 : 8, &seen);
		assert_same(&seen, &first);
	}
	file_free(&f);
	threads_left = CREW_MAX;
}

/*
 * What looks like a key's head takes work to be told from one, and that is bounded. The first piece
 * has too many of them for all to be tried; a key in another piece is found all the same.
 */
static void what_is_written_is_found_whoever_looked_at_decoys(void **state)
{
	struct dump_file f = file_new(4 * WINDOW_CORE);
	struct seen first = {.nr = 0}, seen = {.nr = 0};
	EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024);
	uint8_t *der = NULL;
	int len = i2d_PrivateKey(pkey, &der);

	assert_true(len > 0);
	for (size_t at = 0; at < WINDOW_CORE; at += 32)
		memcpy(f.p + at, "RSA2\0\4\0", 8);
	for (size_t i = 1; i < 4; i++)
		memcpy(f.p + i * WINDOW_CORE + 4096, der, (size_t)len);
	OPENSSL_clear_free(der, (size_t)len);
	EVP_PKEY_free(pkey);
	threads_left = CREW_MAX;
	scan(f.fd, 1, &first);
	assert_int_equal(count(&first, FINDING_STRUCTURE), 3);
	for (unsigned i = 0; i < first.nr; i++)
		assert_int_equal(first.items[i].class, CLASS_PROVEN);
	assert_true(first.end.vaddr & SCAN_INCOMPLETE);
	for (unsigned workers = 2; workers <= 4; workers++) {
		threads_left = CREW_MAX;
		scan(f.fd, workers, &seen);
		assert_same(&seen, &first);
	}
	file_free(&f);
}

/* --- what comes last --- */

static size_t put_string(uint8_t *to, const void *p, size_t len)
{
	memcpy(to, (const uint8_t[]){0, 0, (uint8_t)(len >> 8), (uint8_t)len}, 4);
	memcpy(to + 4, p, len);
	return 4 + len;
}

/* As sshkey_shield_private() does it; known: of a type that is. */
static void shield(const uint8_t *prekey, bool known, uint8_t out[static 160])
{
	EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t secret[64], hash[64], plain[160] = {0};
	size_t len = 32, at = 0;
	int n;

	EVP_PKEY_get_raw_private_key(pkey, secret, &len);
	EVP_PKEY_get_raw_public_key(pkey, secret + 32, &len);
	at += put_string(plain + at, known ? "ssh-ed25519" : "ssh-unknown", 11);
	at += put_string(plain + at, secret + 32, 32);
	at += put_string(plain + at, secret, 64);
	for (uint8_t pad = 1; at < sizeof(plain); pad++)
		plain[at++] = pad;
	EVP_Q_digest(NULL, "SHA512", NULL, prekey, 16384, hash, NULL);
	EVP_EncryptInit_ex(ctx, EVP_aes_256_ctr(), NULL, hash, hash + 32);
	EVP_EncryptUpdate(ctx, out, &n, plain, sizeof(plain));
	EVP_CIPHER_CTX_free(ctx);
	EVP_PKEY_free(pkey);
}

static _unused_ void what_stands_last_is_found_however_much_came_before(void **state)
{
	const size_t steps = 300000, prekey_at = 20 * STEP;
	struct dump_file f = overfull(steps);
	struct rsa rsa = make_rsa();
	uint8_t shielded[160];

	/* What it is shielded with came first of all, and is kept; then the key, the last but two.
	 */
	memset(f.p, 0, 200 * STEP);
	RAND_bytes(f.p + prekey_at, 16384);
	memcpy(f.p + prekey_at - 8, &(uint64_t){0x4011}, 8);
	shield(f.p + prekey_at, true, shielded);
	put(&f, steps - 10, shielded, sizeof(shielded));
	put(&f, steps - 6, rsa.n, sizeof(rsa.n));
	/* Up to the very end. */
	memset(f.p + (steps - 2) * STEP, 0, 2 * (size_t)STEP);
	memcpy(f.p + f.len - sizeof(rsa.p), rsa.p, sizeof(rsa.p));
	for (unsigned workers = 1; workers <= 3; workers++) {
		struct seen seen = {.nr = 0};

		scan(f.fd, workers, &seen);
		assert_int_equal(count(&seen, FINDING_RSA), 1);
		assert_int_equal(count(&seen, FINDING_SHIELDED), 1);
	}
	file_free(&f);
}

#define PREKEY_STEP (16384 + 4096)
#define PREKEY_AT   2048 /* in a step; what is shielded stands in front of it */

/* 16 KiB of noise look as what a key is shielded with. */
static struct dump_file many_prekeys(size_t nr)
{
	struct dump_file f = file_new((nr + 1) * PREKEY_STEP);

	for (size_t i = 0; i < nr; i++) {
		RAND_bytes(f.p + i * PREKEY_STEP + PREKEY_AT, 16384);
		memcpy(f.p + i * PREKEY_STEP + PREKEY_AT - 8, &(uint64_t){0x4011}, 8);
	}
	return f;
}

static _unused_ void a_prekey_is_kept_behind_many_that_only_look_so(void **state)
{
	struct dump_file f = many_prekeys(601);
	uint8_t shielded[160];

	shield(f.p + PREKEY_AT, true, shielded);
	memcpy(f.p + 601 * PREKEY_STEP, shielded, sizeof(shielded));
	for (unsigned workers = 1; workers <= 3; workers += 2) {
		struct seen seen = {.nr = 0};

		threads_left = CREW_MAX;
		scan(f.fd, workers, &seen);
		assert_int_equal(count(&seen, FINDING_SHIELDED), 1);
		assert_false(seen.end.vaddr & SCAN_INCOMPLETE);
	}
	file_free(&f);
}

/* More than are kept: the older half gives way, once all have been asked. */
static _unused_ void what_is_shielded_with_a_later_prekey_is_found_and_told_once(void **state)
{
	const size_t nr = HARVEST_PREKEYS_MAX + 100, asked_twice = HARVEST_PREKEYS_MAX * 3 / 4;
	struct dump_file f = many_prekeys(nr);
	uint8_t shielded[160];

	shield(f.p + (nr - 1) * PREKEY_STEP + PREKEY_AT, true, shielded);
	memcpy(f.p + nr * PREKEY_STEP, shielded, sizeof(shielded));
	/* Of a type that nobody knows: it has no name to be known by. */
	shield(f.p + asked_twice * PREKEY_STEP + PREKEY_AT, false, shielded);
	memcpy(f.p + asked_twice * PREKEY_STEP + 1024, shielded, sizeof(shielded));
	for (unsigned workers = 1; workers <= 3; workers += 2) {
		struct seen seen = {.nr = 0};

		threads_left = CREW_MAX;
		scan(f.fd, workers, &seen);
		assert_int_equal(count(&seen, FINDING_SHIELDED), 2);
		/* Some gave way, and the verdict says so. */
		assert_true(seen.end.vaddr & SCAN_INCOMPLETE);
	}
	file_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_thread_looks_at_some_of_it),
		cmocka_unit_test(a_pass_that_was_stopped_has_no_more_work),
		cmocka_unit_test(a_thread_that_is_not_to_be_had_is_done_without),
		cmocka_unit_test(a_crew_that_shrank_works_on),
		cmocka_unit_test(many_threads_do_with_the_memory_that_one_needs),
		cmocka_unit_test(stacks_of_threads_are_wiped),
		cmocka_unit_test(keys_across_seams_are_found_by_any_number),
		cmocka_unit_test(what_is_written_is_found_whoever_looked_at_decoys),
#if !defined(__SANITIZE_THREAD__) /* dumps that take it many minutes */
		cmocka_unit_test(any_number_of_threads_finds_the_same),
		cmocka_unit_test(what_stands_last_is_found_however_much_came_before),
		cmocka_unit_test(a_prekey_is_kept_behind_many_that_only_look_so),
		cmocka_unit_test(what_is_shielded_with_a_later_prekey_is_found_and_told_once),
#endif
	};

	counts = mmap(NULL, sizeof(*counts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (counts == MAP_FAILED)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
