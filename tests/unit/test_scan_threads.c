// SPDX-License-Identifier: GPL-2.0-or-later
/* Threads of a scan: fewer will do, and what they leave on their stacks is wiped. */
#include "scan/crew.h"

#include <dlfcn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

#include "scan/dump.h"
#include "scan/scanner.h"
#include "scan/windows.h"
#include "unit/numbers.h"

#define STACK_MIN (1 << 20) /* mappings of at least so much are stacks, here */

/* --- between the scanner and the C library --- */

static unsigned threads_left = CREW_MAX; /* that can be had */
/* Shared with forks: threads; their stacks that were given back, and that were not wiped then. */
static struct counts {
	unsigned hired, back, dirty;
} * counts;

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

/* --- fewer will do --- */

static void a_thread_that_is_not_to_be_had_is_done_without(void **state)
{
	static const struct scanner_events events = {.found = see};
	struct dump_file f = file_new(4 * WINDOW_CORE);
	struct rsa rsa = make_rsa();
	struct seen whole = {.nr = 0};

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

#if defined(__SANITIZE_ADDRESS__)
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_thread_that_is_not_to_be_had_is_done_without),
		cmocka_unit_test(stacks_of_threads_are_wiped),
	};

	counts = mmap(NULL, sizeof(*counts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (counts == MAP_FAILED)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
