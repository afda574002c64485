// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * After a key file was parsed, nothing of its private half is left in the process: the whole of its
 * memory is searched. What is searched for stands here only in disguise, or it would find itself.
 */
#include "scan/wipe.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/mman.h>

#include "scan/keyfile.h"
#include "unit/keymaker.h"
#include "unit/tmpdir.h"

#define DISGUISE 0x55
#define MARK_LEN 16 /* bytes of a secret: not there by chance */
#define CHUNK	 65536

struct mark {
	uint8_t p[MARK_LEN]; /* each byte ^ DISGUISE */
};

/* The occurrences in all memory that can be written, forwards and backwards. */
static unsigned search(const struct mark *mark)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	int mem = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	uint8_t *chunk =
		mmap(NULL, CHUNK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned long start, end;
	char line[512], mode[5];
	unsigned found = 0;

	assert_non_null(maps);
	assert_true(mem >= 0);
	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx %4s", &start, &end, mode) != 3 || mode[1] != 'w' ||
		    start == (unsigned long)chunk)
			continue;
		if (end - start > 1UL << 30)
			continue; /* AddressSanitizer's shadow */
		for (unsigned long at = start; at < end; at += CHUNK - MARK_LEN) {
			size_t want = end - at < CHUNK ? end - at : CHUNK;
			ssize_t n = pread(mem, chunk, want, (off_t)at);

			for (ssize_t i = 0; i + MARK_LEN <= n; i++) {
				bool forwards = true, backwards = true;

				for (int k = 0; k < MARK_LEN && (forwards || backwards); k++) {
					uint8_t c = chunk[i + k] ^ DISGUISE;

					forwards &= c == mark->p[k];
					backwards &= c == mark->p[MARK_LEN - 1 - k];
				}
				found += forwards || backwards;
			}
		}
	}
	munmap(chunk, CHUNK);
	close(mem);
	fclose(maps);
	return found;
}

/* The start of the hex number that `command` prints, read by a process of its own. */
static struct mark disguised(const char *dir, const char *command)
{
	struct mark mark;
	int pipes[2];
	pid_t pid;

	assert_int_equal(pipe(pipes), 0);
	pid = fork();
	if (!pid) {
		char hex[1 << 13];

		shell(dir, hex, sizeof(hex), "%s", command);
		for (int i = 0; i < MARK_LEN; i++) {
			unsigned byte;

			if (sscanf(hex + 2 * i, "%2x", &byte) != 1)
				_exit(1);
			mark.p[i] = (uint8_t)byte ^ DISGUISE;
		}
		_exit(write(pipes[1], &mark, sizeof(mark)) != sizeof(mark));
	}
	close(pipes[1]);
	assert_int_equal(read(pipes[0], &mark, sizeof(mark)), sizeof(mark));
	close(pipes[0]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	return mark;
}

/* As keytrail-scan does it: one buffer, wiped at the end. */
static enum key_kind parse(const char *path, const struct mark *mark, unsigned *out_while_held)
{
	uint8_t *file = wipe_alloc(KEYFILE_MAX);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, file, KEYFILE_MAX);
	struct key_identity id;

	assert_true(n > 0);
	close(fd);
	assert_int_equal(keyfile_identify((struct bytes){file, (size_t)n}, (struct bytes){NULL, 0},
					  &id),
			 0);
	*out_while_held = search(mark);
	wipe_free(file);
	wipe_stack();
	return id.kind;
}

/* The hex of the nth INTEGER or OCTET STRING, by openssl's own reader. */
#define ASN1(nth, type)                               \
	"openssl asn1parse -in k | sed -n 's/.*" type \
	" *\\(\\[HEX DUMP\\]\\)\\{0,1\\}://p' | sed -n " nth "p"
#define LAST32(file) "tail -c 32 " file " | od -An -v -tx1 | tr -d ' \\n'; echo"

static void nothing_private_is_left_in_memory(void **state)
{
	static const struct {
		const char *make, *secret;
		enum key_kind kind;
		bool raw; /* the file holds the secret as bytes: the search must see it meanwhile */
	} cases[] = {
		{"openssl genrsa -traditional -out k 2048", ASN1("4", "INTEGER"), KEY_RSA, false},
		{"openssl genrsa -traditional -out k 2048", ASN1("5", "INTEGER"), KEY_RSA, false},
		{"openssl ecparam -name prime256v1 -genkey -noout -out k",
		 ASN1("1", "OCTET STRING"), KEY_EC, false},
		{"openssl genrsa -traditional -out k 2048", ASN1("6", "INTEGER"), KEY_RSA, false},
		{"openssl genpkey -algorithm ED25519 -outform DER -out k", LAST32("k"), KEY_ED25519,
		 true},
		{"openssl genpkey -algorithm ED25519 -outform DER -out d;"
		 " openssl pkey -inform DER -in d -out k",
		 LAST32("d"), KEY_ED25519, false},
		{"openssl genpkey -algorithm X25519 -outform DER -out d;"
		 " openssl pkey -inform DER -in d -out k",
		 LAST32("d"), KEY_X25519, false},
		{"H=$(openssl rand -hex 32); echo $H >h; { echo 'Key: (private-key (ecc (curve"
		 " Ed25519)(flags eddsa)(q #40'$(openssl rand -hex 32)'#)(d #'$H'#)))'; } >k",
		 "cat h", KEY_ED25519, false},
	};

#if defined(__SANITIZE_ADDRESS__)
	/* Frees into a quarantine, and maps so much that the search takes minutes. */
	skip();
#endif
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct mark mark;
		unsigned held;

		shell(*state, NULL, 0, "rm -f k; %s", cases[i].make);
		mark = disguised(*state, cases[i].secret);
		assert_int_equal(search(&mark), 0);
		assert_int_equal(parse(tmpdir_path(state, "k"), &mark, &held), cases[i].kind);
		/* While the file stands in its buffer it is found: the search does see. */
		if (cases[i].raw)
			assert_true(held >= 1);
		if (search(&mark))
			fail_msg("case %zu: %u places left", i, search(&mark));
	}
}

static void freed_buffers_are_zero(void **state)
{
	uint8_t *p = wipe_alloc(4096);

	for (int i = 0; i < 4096; i++)
		assert_int_equal(p[i], 0);
	memset(p, 0xa5, 4096);
	wipe_free(p);
	wipe_free(NULL);
#if !defined(__SANITIZE_ADDRESS__)
	struct mark mark;

	memset(&mark, 0xa5 ^ DISGUISE, sizeof(mark));
	assert_int_equal(search(&mark), 0);
#endif
}

static uintptr_t left_at;

__attribute__((noinline)) static void leave_something(void)
{
	volatile uint8_t deep[WIPE_STACK - 16384];

	for (size_t i = 0; i < sizeof(deep); i++)
		deep[i] = 0xa5;
	left_at = (uintptr_t)deep;
}

static void what_deep_calls_left_is_overwritten(void **state)
{
	unsigned before, after;

#if defined(__SANITIZE_ADDRESS__)
	skip(); /* whose frames are not where the processor's stack is */
#endif
	leave_something();
	before = ((volatile uint8_t *)left_at)[64];
	wipe_stack();
	after = ((volatile uint8_t *)left_at)[64];
	assert_int_equal(before, 0xa5);
	assert_int_equal(after, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nothing_private_is_left_in_memory, tmpdir_make,
						tmpdir_clean),
		cmocka_unit_test(freed_buffers_are_zero),
		cmocka_unit_test(what_deep_calls_left_is_overwritten),
	};

	/* Once libcrypto has allocated anything this is refused, as the caller would have it too
	 * late. */
	if (wipe_libcrypto() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
