// SPDX-License-Identifier: GPL-2.0-or-later
/* Synthetic dumps with keys in each layout: found, named, at the right place; and silence without
 * keys. */
#define OPENSSL_SUPPRESS_DEPRECATED /* AES_KEY: the schedules as they lie in memory */
#include "scan/dump.h"

#include <elf.h>
#include <fcntl.h>
#include <openssl/aes.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "scan/detect-aes.h"
#include "scan/keyfile.h"
#include "scan/scanner.h"
#include "unit/keymaker.h"
#include "unit/tmpdir.h"

#define MAX 64

struct seen {
	struct finding items[MAX];
	unsigned nr;
	struct finding end;
};

static int see(void *userdata, const struct finding *finding)
{
	struct seen *seen = userdata;

	if (finding->what == FINDING_END)
		seen->end = *finding;
	else if (seen->nr < MAX)
		seen->items[seen->nr++] = *finding;
	return 0;
}

static const struct dump_events dump_events = {.found = see};
static const struct scanner_events scanner_events = {.found = see};

static int scan_walled_in(int fd, struct seen *seen)
{
	struct scanner_input input = {.fd = fd, .maps_fd = -1};

	return scanner_run(&input, &scanner_events, seen);
}

static int memory_file(const void *p, size_t len)
{
	int fd = memfd_create("dump", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, p, len), (ssize_t)len);
	return fd;
}

static struct seen scan_memory(const void *p, size_t len)
{
	struct seen seen = {.nr = 0};
	int fd = memory_file(p, len);

	assert_int_equal(dump_scan(&(struct dump_input){.fd = fd, .maps_fd = -1}, &dump_events,
				   &seen),
			 0);
	close(fd);
	return seen;
}

struct rsa {
	BIGNUM *n, *p, *q;
	uint8_t spki[32];
};

static struct rsa make_rsa(unsigned bits)
{
	EVP_PKEY *pkey = EVP_RSA_gen(bits);
	struct rsa rsa = {NULL};
	uint8_t *der = NULL;
	int len;

	assert_non_null(pkey);
	EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &rsa.n);
	EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_FACTOR1, &rsa.p);
	EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_FACTOR2, &rsa.q);
	len = i2d_PUBKEY(pkey, &der);
	assert_true(len > 0);
	EVP_Q_digest(NULL, "SHA256", NULL, der, (size_t)len, rsa.spki, NULL);
	OPENSSL_free(der);
	EVP_PKEY_free(pkey);
	return rsa;
}

static void drop_rsa(struct rsa *rsa)
{
	BN_free(rsa->n);
	BN_free(rsa->p);
	BN_free(rsa->q);
}

static size_t put_number(uint8_t *to, const BIGNUM *bn, enum finding_layout layout)
{
	int len = BN_num_bytes(bn);

	if (layout == LAYOUT_LE) {
		BN_bn2lebinpad(bn, to, len);
	} else {
		BN_bn2binpad(bn, to, len);
		if (layout == LAYOUT_W32)
			for (int i = 0; i < len; i += 4) {
				uint8_t a = to[i], b = to[i + 1];

				to[i] = to[i + 3];
				to[i + 1] = to[i + 2];
				to[i + 2] = b;
				to[i + 3] = a;
			}
	}
	return (size_t)len;
}

static void bare_rsa_numbers_are_joined_in_each_layout(void **state)
{
	static const unsigned sizes[] = {1024, 2048, 3072, 4096};
	static const enum finding_layout layouts[] = {LAYOUT_LE, LAYOUT_BE, LAYOUT_W32};

	for (size_t s = 0; s < ARRAY_SIZE(sizes); s++) {
		struct rsa rsa = make_rsa(sizes[s]);

		for (size_t l = 0; l < ARRAY_SIZE(layouts); l++) {
			/* Over several windows; n in another layout than p, as libraries mix them.
			 */
			size_t len = 3 << 20, prime_at = (2 << 20) - 64;
			uint8_t *p = calloc(1, len);
			struct seen seen;

			put_number(p + 4096, rsa.n, LAYOUT_LE);
			put_number(p + prime_at, l & 1 ? rsa.q : rsa.p, layouts[l]);
			if (l == 2) /* both primes: found by the quick way */
				put_number(p + 8192, rsa.q, layouts[l]);
			seen = scan_memory(p, len);
			assert_int_equal(seen.nr, 1);
			assert_int_equal(seen.items[0].what, FINDING_RSA);
			assert_int_equal(seen.items[0].class, CLASS_PROVEN);
			assert_int_equal(seen.items[0].layout, layouts[l]);
			assert_int_equal(seen.items[0].bits, sizes[s]);
			assert_memory_equal(seen.items[0].id.spki, rsa.spki, 32);
			if (l != 2)
				assert_int_equal(seen.items[0].offset, prime_at);
			assert_int_equal(seen.end.offset, len);
			free(p);
		}
		drop_rsa(&rsa);
	}
}

/* More than is kept at a time, so the questions are asked in the middle, too: by one thread, or by
 * several, of which some come while it is done. */
static void what_is_more_than_is_kept_is_asked_more_than_once(void **state)
{
	const size_t step = 704, nr = 40000;
	uint8_t *p = calloc(nr, step);
	struct rsa keys[] = {make_rsa(2048), make_rsa(2048)};

	for (size_t i = 0; i < nr; i++)
		RAND_bytes(p + i * step, 512);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		uint8_t *to = p + (i ? nr - 2 : 0) * step;

		memset(to, 0, 2 * step);
		put_number(to, keys[i].n, LAYOUT_LE);
		put_number(to + step, keys[i].p, LAYOUT_LE);
	}
	for (unsigned workers = 1; workers <= 4; workers += 3) {
		struct dump_input input = {.maps_fd = -1, .options.workers = workers};
		unsigned found[ARRAY_SIZE(keys)] = {0}, rsa = 0;
		struct seen seen = {.nr = 0};

		input.fd = memory_file(p, nr * step);
		dump_start(&input);
		assert_int_equal(dump_scan(&input, &dump_events, &seen), 0);
		dump_stop(&input);
		close(input.fd);
		for (unsigned i = 0; i < seen.nr; i++) {
			rsa += seen.items[i].what == FINDING_RSA;
			for (size_t k = 0; k < ARRAY_SIZE(keys); k++)
				found[k] += !memcmp(seen.items[i].id.spki, keys[k].spki, 32);
		}
		assert_int_equal(rsa, 2);
		assert_int_equal(found[0], 1);
		assert_int_equal(found[1], 1);
	}
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		drop_rsa(&keys[i]);
	free(p);
}

static void a_modulus_or_a_prime_alone_says_nothing(void **state)
{
	struct rsa rsa = make_rsa(2048), other = make_rsa(2048);
	uint8_t *p = calloc(1, 65536);

	put_number(p + 4096, rsa.n, LAYOUT_LE);
	assert_int_equal(scan_memory(p, 65536).nr, 0);
	put_number(p + 8192, other.p, LAYOUT_LE);
	put_number(p + 12288, other.q, LAYOUT_BE);
	assert_int_equal(scan_memory(p, 65536).nr, 0);
	free(p);
	drop_rsa(&rsa);
	drop_rsa(&other);
}

/* FIPS 197 as libcrypto computes it; rd_key holds the words as numbers, memory the bytes. */
static size_t put_schedule(uint8_t *to, unsigned bits, bool decrypt, bool swapped, uint8_t first)
{
	uint8_t key[32];
	AES_KEY schedule;
	size_t len = 16 * (bits / 32 + 7);

	RAND_bytes(key, sizeof(key));
	key[0] = first;
	if (decrypt)
		AES_set_decrypt_key(key, (int)bits, &schedule);
	else
		AES_set_encrypt_key(key, (int)bits, &schedule);
	/* What assembler leaves there differs by machine: the plain form is made of it here. */
	for (size_t i = 0; i < len / 4; i++) {
		uint32_t word = ((uint32_t *)schedule.rd_key)[i];

		for (int b = 0; b < 4; b++)
			to[4 * i + (size_t)(swapped ? 3 - b : b)] = (uint8_t)(word >> 8 * b);
	}
	return len;
}

static void aes_schedules_are_found_in_each_form(void **state)
{
	static const struct {
		unsigned bits;
		bool decrypt, swapped;
		enum finding_layout layout;
	} cases[] = {
		{128, false, false, LAYOUT_ENCRYPT},	{192, false, false, LAYOUT_ENCRYPT},
		{256, false, false, LAYOUT_ENCRYPT},	{128, true, false, LAYOUT_DECRYPT},
		{256, true, false, LAYOUT_DECRYPT},	{128, false, true, LAYOUT_ENCRYPT_W32},
		{192, false, true, LAYOUT_ENCRYPT_W32}, {256, false, true, LAYOUT_ENCRYPT_W32},
		{128, true, true, LAYOUT_DECRYPT_W32},	{256, true, true, LAYOUT_DECRYPT_W32},
	};
	/* At the start, at the end, over the seams of windows, at odd words. */
	static const size_t places[] = {0,	 4096, (1 << 20) - 100, (1 << 20) - 4, 1 << 20,
					2097000, 0};
	size_t len = (2 << 20) + 4096;
	uint8_t *p = malloc(len);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		for (size_t k = 0; k < ARRAY_SIZE(places); k++) {
			size_t size = 16 * (cases[i].bits / 32 + 7);
			size_t at = k == ARRAY_SIZE(places) - 1 ? len - size : places[k];
			struct seen seen;

			memset(p, (int)k, len);
			put_schedule(p + at, cases[i].bits, cases[i].decrypt, cases[i].swapped,
				     0x5a);
			seen = scan_memory(p, len);
			if (seen.nr != 1)
				fail_msg("%u bits, layout %s, place %zu: %u found", cases[i].bits,
					 finding_layout_str(cases[i].layout), at, seen.nr);
			assert_int_equal(seen.items[0].what, FINDING_AES);
			assert_int_equal(seen.items[0].class, CLASS_LIKELY);
			assert_int_equal(seen.items[0].layout, cases[i].layout);
			assert_int_equal(seen.items[0].bits, cases[i].bits);
			assert_int_equal(seen.items[0].offset, at);
		}
	}
	free(p);
}

static void count_hit(void *userdata, const struct aes_hit *hit)
{
	*(uint64_t *)userdata = *(uint64_t *)userdata * 31 + hit->at + hit->layout;
}

static void plain_and_vector_code_find_the_same(void **state)
{
	size_t len = 1 << 18;
	uint8_t *p = malloc(len);

	RAND_bytes(p, (int)len);
	for (size_t at = 1000; at + 4096 < len; at += 4004)
		put_schedule(p + at, 128 + 64 * (unsigned)(at / 4004 % 3), false, at & 8, 1);
	for (size_t from = 0; from < 96; from += 4) {
		uint64_t a = 0, b = 0;
		size_t end_a = 0, end_b = 0;

		aes_detect((struct bytes){p + from, len - from}, 0, len, &end_a, count_hit, &a);
		aes_detect_scalar((struct bytes){p + from, len - from}, 0, len, &end_b, count_hit,
				  &b);
		assert_true(a != 0 && a == b);
	}
	free(p);
}

static void random_generators_and_examples_are_told_apart(void **state)
{
	static const uint8_t head[12] = {0x20, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0};
	uint8_t *p = calloc(1, 65536);
	uint8_t key[32];
	AES_KEY schedule;
	struct seen seen;

	put_schedule(p + 4096, 256, false, false, 7);
	memcpy(p + 16, head, 12);
	memcpy(p + 28, p + 4096, 32);
	for (unsigned i = 0; i < 32; i++)
		key[i] = (uint8_t)i;
	AES_set_encrypt_key(key, 256, &schedule);
	memcpy(p + 8192, schedule.rd_key, 240);
	seen = scan_memory(p, 65536);
	assert_int_equal(seen.nr, 2);
	assert_int_equal(seen.items[0].class, CLASS_EPHEMERAL);
	assert_int_equal(seen.items[1].class, CLASS_TEST);
	free(p);
}

static void written_keys_are_found_named_and_proven(void **state)
{
	static const struct {
		const char *make;
		enum key_kind kind;
		enum finding_class class;
		enum finding_layout layout;
	} cases[] = {
		{"openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out k", KEY_RSA,
		 CLASS_PROVEN, LAYOUT_TEXT},
		{"openssl genrsa -traditional 2048 | openssl rsa -traditional -outform DER -out k",
		 KEY_RSA, CLASS_PROVEN, LAYOUT_DER},
		{"openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -outform DER -out k",
		 KEY_RSA, CLASS_PROVEN, LAYOUT_DER},
		{"openssl ecparam -name prime256v1 -genkey -noout -outform DER -out k", KEY_EC,
		 CLASS_PROVEN, LAYOUT_DER},
		{"openssl genpkey -algorithm ED25519 -outform DER -out k", KEY_ED25519, -1,
		 LAYOUT_DER},
		{"ssh-keygen -q -t ed25519 -N '' -f k", KEY_ED25519, CLASS_PROVEN, LAYOUT_TEXT},
		{"ssh-keygen -q -t ed25519 -N x -a 1 -f k", KEY_ED25519, CLASS_ENCRYPTED,
		 LAYOUT_TEXT},
		{"ssh-keygen -q -t ed25519 -N '' -f k1; grep -v -- --- k1 | base64 -d >k",
		 KEY_ED25519, CLASS_PROVEN, LAYOUT_OPENSSH},
	};
	static const size_t places[] = {1, 4096, (1 << 20) - 20, (1 << 20) + 3};
	size_t len = (1 << 20) + 65536;
	uint8_t *p = malloc(len);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct key_identity id;
		struct bytes file;

		shell(*state, NULL, 0, "rm -f k k.pub k1 k1.pub; %s", cases[i].make);
		file = slurp(*state, "k");
		assert_int_equal(keyfile_identify(file, (struct bytes){NULL, 0}, &id), 0);
		for (size_t k = 0; k < ARRAY_SIZE(places); k++) {
			struct seen seen;

			memset(p, 0, len);
			memcpy(p + places[k], file.p, file.len);
			seen = scan_memory(p, len);
			/* The numbers of a DER form are found as numbers, too. */
			if (seen.nr != 1 && !(seen.nr == 2 && seen.items[1].class == CLASS_PROVEN &&
					      !strcmp(seen.items[1].id.ssh_fp, id.ssh_fp)))
				fail_msg("case %zu at %zu: %u found", i, places[k], seen.nr);
			assert_int_equal(seen.items[0].what, FINDING_STRUCTURE);
			assert_int_equal(seen.items[0].id.kind, cases[i].kind);
			assert_int_equal(seen.items[0].layout, cases[i].layout);
			if ((int)cases[i].class >= 0)
				assert_int_equal(seen.items[0].class, cases[i].class);
			assert_int_equal(seen.items[0].offset, places[k]);
			assert_string_equal(seen.items[0].id.ssh_fp, id.ssh_fp);
		}
		free((void *)file.p);
	}
	free(p);
}

/* An ELF core with one segment that starts at an odd place in the file, as gcore writes them. */
static size_t make_core(uint8_t *to, size_t size, uint64_t vaddr, size_t *out_data)
{
	Elf64_Ehdr header = {.e_type = ET_CORE,
			     .e_machine = EM_X86_64,
			     .e_phoff = sizeof(header),
			     .e_phentsize = sizeof(Elf64_Phdr),
			     .e_phnum = 1};
	size_t data = 0x583;
	Elf64_Phdr phdr = {.p_type = PT_LOAD,
			   .p_offset = data,
			   .p_vaddr = vaddr,
			   .p_filesz = size,
			   .p_memsz = size};

	memcpy(header.e_ident, ELFMAG, SELFMAG);
	header.e_ident[EI_CLASS] = ELFCLASS64;
	header.e_ident[EI_DATA] = ELFDATA2LSB;
	memcpy(to, &header, sizeof(header));
	memcpy(to + sizeof(header), &phdr, sizeof(phdr));
	*out_data = data;
	return data + size;
}

static void cores_are_read_by_address_whatever_the_file_offset(void **state)
{
	struct rsa rsa = make_rsa(2048);
	size_t size = 2 << 20, data, len;
	uint8_t *p = calloc(1, size + 4096);

	/* Segments that begin between words, too: a split mapping need not be page aligned. */
	for (uint64_t vaddr = 0x7f0000000000; vaddr < 0x7f0000000008; vaddr += 4) {
		size_t to_word = vaddr % 8 ? 4 : 0;
		struct seen seen;

		memset(p, 0, size + 4096);
		len = make_core(p, size, vaddr, &data);
		put_number(p + data + to_word + 0x1000, rsa.n, LAYOUT_LE);
		put_number(p + data + to_word + 0x100008, rsa.p, LAYOUT_LE);
		seen = scan_memory(p, len);
		assert_int_equal(seen.nr, 1);
		assert_true(seen.items[0].has_vaddr);
		assert_int_equal(seen.items[0].vaddr, vaddr + to_word + 0x100008);
		assert_int_equal(seen.items[0].offset, data + to_word + 0x100008);
		assert_int_equal(seen.end.vaddr, FINDING_CORE);
		/* Cut off behind the prime: still found, and said. */
		seen = scan_memory(p, data + 0x110000);
		assert_int_equal(seen.nr, 1);
		assert_int_equal(seen.end.vaddr, FINDING_CORE | FINDING_TRUNCATED);
	}
	free(p);
	drop_rsa(&rsa);
}

static void absurd_headers_are_survived(void **state)
{
	uint8_t core[8192] = {0};
	size_t data, len = make_core(core, 4096, 0x1000, &data);
	uint8_t bad[8192];

	for (size_t cut = 0; cut < len; cut += 7)
		scan_memory(core, cut);
	for (size_t at = 0; at < sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr); at++)
		for (unsigned value = 0; value < 256; value += 51) {
			struct seen seen;

			memcpy(bad, core, len);
			bad[at] = (uint8_t)value;
			seen = scan_memory(bad, len);
			assert_true(seen.end.offset <= 2 * len);
		}
	/* A thousand segments over the same bytes are not read a thousand times. */
	Elf64_Ehdr *header = (Elf64_Ehdr *)bad;

	memcpy(bad, core, len);
	header->e_phnum = 100;
	for (unsigned i = 0; i < 100; i++) {
		Elf64_Phdr phdr = {.p_type = PT_LOAD, .p_filesz = 8192, .p_vaddr = i << 20};

		memcpy(bad + sizeof(*header) + i * sizeof(phdr), &phdr, sizeof(phdr));
	}
	assert_int_equal(scan_memory(bad, 8192).end.offset, 8192);
}

static void what_holds_no_key_is_silent(void **state)
{
	size_t len = 8 << 20;
	uint8_t *p = malloc(len);

	RAND_bytes(p, (int)len);
	assert_int_equal(scan_memory(p, len).nr, 0);
	memset(p, 0x41, len);
	assert_int_equal(scan_memory(p, len).nr, 0);
	for (size_t i = 0; i < len; i += 4)
		memcpy(p + i, &(uint32_t){(uint32_t)i}, 4);
	assert_int_equal(scan_memory(p, len).nr, 0);
	assert_int_equal(scan_memory(p, 0).nr, 0);
	free(p);
}

static void the_walled_in_scanner_says_the_same(void **state)
{
	struct rsa rsa = make_rsa(2048);
	size_t size = 1 << 20, data, len;
	uint8_t *p = calloc(1, size + 4096);
	struct seen seen = {.nr = 0}, own;
	struct bytes file;
	int fd, pipes[2];
	pid_t writer;

	len = make_core(p, size, 0x1000, &data);
	put_number(p + data + 0x1000, rsa.n, LAYOUT_LE);
	put_number(p + data + 0x2000, rsa.p, LAYOUT_BE);
	put_schedule(p + data + 0x3000, 128, false, false, 9);
	shell(*state, NULL, 0,
	      "openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out k");
	file = slurp(*state, "k");
	memcpy(p + data + 0x4000, file.p, file.len);
	free((void *)file.p);
	own = scan_memory(p, len);
	fd = memory_file(p, len);
	assert_int_equal(scan_walled_in(fd, &seen), 0);
	close(fd);
	assert_int_equal(own.nr, 3);
	assert_int_equal(seen.nr, own.nr);
	for (unsigned i = 0; i < own.nr; i++) {
		assert_int_equal(seen.items[i].offset, own.items[i].offset);
		assert_int_equal(seen.items[i].vaddr, own.items[i].vaddr);
		assert_int_equal(seen.items[i].class, own.items[i].class);
		assert_string_equal(seen.items[i].id.ssh_fp, own.items[i].id.ssh_fp);
	}
	assert_int_equal(seen.end.offset, own.end.offset);
	/* A pipe has no positions to read by, and gives the same. */
	assert_int_equal(pipe(pipes), 0);
	writer = fork();
	if (!writer)
		_exit(write(pipes[1], p, len) == (ssize_t)len ? 0 : 1);
	close(pipes[1]);
	seen.nr = 0;
	assert_int_equal(scan_walled_in(pipes[0], &seen), 0);
	assert_int_equal(seen.nr, own.nr);
	assert_int_equal(seen.end.offset, own.end.offset);
	assert_int_equal(seen.end.vaddr, own.end.vaddr);
	close(pipes[0]);
	waitpid(writer, NULL, 0);
	free(p);
	drop_rsa(&rsa);
}

static void records_that_cannot_be_are_refused(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
	} cases[] = {{0, FINDING_WHAT_NR},
		     {1, FINDING_CLASS_NR},
		     {2, LAYOUT_NR},
		     {3, 2},
		     {6, 1},
		     {7, 1},
		     {39, 1},
		     {40, 0},
		     {48, 1}};
	struct finding f = {.what = FINDING_AES,
			    .layout = LAYOUT_DECRYPT,
			    .bits = 128,
			    .offset = 0x123456789abcdef0,
			    .has_vaddr = true,
			    .vaddr = ~0ULL};
	uint8_t record[FINDING_SIZE];
	struct finding back;

	finding_encode(&f, record);
	assert_int_equal(finding_decode(record, &back), 0);
	assert_int_equal(back.offset, f.offset);
	assert_int_equal(back.vaddr, f.vaddr);
	assert_int_equal(back.bits, 128);
	assert_int_equal(back.layout, LAYOUT_DECRYPT);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		finding_encode(&f, record);
		record[cases[i].at] = cases[i].value;
		assert_int_equal(finding_decode(record, &back), -EBADMSG);
	}
}

/* --- digests --- */

struct told {
	struct scan_digest file, content;
	unsigned files, contents;
};

static int see_nothing(void *userdata, const struct finding *finding)
{
	return 0;
}

static int see_digest(void *userdata, const struct scan_digest *digest)
{
	struct told *told = userdata;

	if (digest->depth) {
		told->content = *digest;
		told->contents++;
	} else {
		told->file = *digest;
		told->files++;
	}
	return 0;
}

static struct told digests_of(int fd)
{
	static const struct scanner_events events = {.found = see_nothing, .digest = see_digest};
	const struct scanner_input input = {.fd = fd, .maps_fd = -1, .options.digests = true};
	struct told told = {.files = 0};

	assert_int_equal(scanner_run(&input, &events, &told), 0);
	return told;
}

static void sha256_of(const void *p, size_t len, uint8_t out[32])
{
	assert_int_equal(EVP_Digest(p, len, out, NULL, EVP_sha256(), NULL), 1);
}

static void a_digest_is_that_of_all_bytes_holes_and_tails_included(void **state)
{
	enum { SIZE = 5 << 20, AT = 3 << 20, LEN = 700001 };
	uint8_t *bytes = calloc(1, SIZE), want[32];
	int fd = memfd_create("dump", MFD_CLOEXEC);
	struct told told;

	RAND_bytes(bytes + AT, LEN);
	assert_int_equal(ftruncate(fd, SIZE), 0);
	assert_int_equal(pwrite(fd, bytes + AT, LEN, AT), LEN);
	sha256_of(bytes, SIZE, want);
	told = digests_of(fd);
	assert_int_equal(told.files, 1);
	assert_int_equal(told.contents, 0);
	assert_memory_equal(told.file.sha256, want, sizeof(want));
	assert_false(told.file.keys);
	close(fd);
	free(bytes);
}

/* A core with its segments in the wrong order, and nothing in front that says so. */
static void a_dump_that_is_not_read_in_order_has_its_digest_too(void **state)
{
	enum { HALF = 3 << 20, SIZE = 4096 + 2 * HALF };
	uint8_t *bytes = calloc(1, SIZE), want[32];
	Elf64_Ehdr *e = (Elf64_Ehdr *)bytes;
	Elf64_Phdr *ph = (Elf64_Phdr *)(bytes + sizeof(*e));
	struct told told;
	int fd;

	memcpy(e->e_ident,
	       "\x7f"
	       "ELF\2\1\1",
	       7);
	e->e_type = ET_CORE;
	e->e_machine = EM_X86_64;
	e->e_version = EV_CURRENT;
	e->e_ehsize = sizeof(*e);
	e->e_phoff = sizeof(*e);
	e->e_phentsize = sizeof(*ph);
	e->e_phnum = 2;
	for (unsigned i = 0; i < 2; i++)
		ph[i] = (Elf64_Phdr){
			.p_type = PT_LOAD,
			.p_flags = PF_R | PF_W,
			.p_offset = 4096 + (1 - i) * HALF,
			.p_vaddr = 0x10000000 + i * HALF,
			.p_filesz = HALF,
			.p_memsz = HALF,
			.p_align = 4096,
		};
	RAND_bytes(bytes + 4096, 2 * HALF);
	sha256_of(bytes, SIZE, want);
	fd = memory_file(bytes, SIZE);
	told = digests_of(fd);
	assert_int_equal(told.files, 1);
	assert_memory_equal(told.file.sha256, want, sizeof(want));
	close(fd);
	free(bytes);
}

static void what_was_unpacked_has_one_unless_it_broke_off(void **state)
{
	enum { SIZE = 900000 };
	uint8_t *bytes = malloc(SIZE), want[32];
	char command[PATH_MAX + 8];
	struct told told;
	int fd;

	RAND_bytes(bytes, SIZE);
	sha256_of(bytes, SIZE, want);
	fd = open(tmpdir_path(state, "plain"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, bytes, SIZE), SIZE);
	close(fd);
	snprintf(command, sizeof(command), "gzip %s", tmpdir_path(state, "plain"));
	assert_int_equal(system(command), 0);
	fd = open(tmpdir_path(state, "plain.gz"), O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	told = digests_of(fd);
	assert_int_equal(told.files, 1);
	assert_int_equal(told.contents, 1);
	assert_int_equal(told.content.depth, 1);
	assert_memory_equal(told.content.sha256, want, sizeof(want));
	assert_memory_not_equal(told.file.sha256, want, sizeof(want));
	assert_int_equal(ftruncate(fd, SIZE / 2), 0);
	told = digests_of(fd);
	assert_int_equal(told.files, 1);
	assert_int_equal(told.contents, 0);
	close(fd);
	free(bytes);
}

static void a_file_that_is_touched_is_told_apart(void **state)
{
	int fd = open(tmpdir_path(state, "touched"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	struct scanner_stamp before, after;

	assert_int_equal(scanner_stamp(fd, &before), 0);
	assert_int_equal(scanner_stamp(fd, &after), 0);
	assert_int_equal(scanner_stamp_compare(&before, &after), 0);
	/* Renamed, say: what was read is what is in it. */
	assert_int_equal(fchmod(fd, 0640), 0);
	assert_int_equal(scanner_stamp(fd, &after), 0);
	after.changed_ns += before.changed_ns == after.changed_ns; /* within a tick */
	assert_int_equal(scanner_stamp_compare(&before, &after), SCAN_TOUCHED);
	/* Written to: what was read may not be what was in it before, or is now. */
	assert_int_equal(write(fd, "x", 1), 1);
	assert_int_equal(scanner_stamp(fd, &after), 0);
	assert_int_equal(scanner_stamp_compare(&before, &after), SCAN_TOUCHED | SCAN_CHANGED);
	assert_true(SCAN_CHANGED & SCAN_FLAGS_PARTIAL);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(f) cmocka_unit_test_setup_teardown(f, tmpdir_make, tmpdir_clean)
		CASE(bare_rsa_numbers_are_joined_in_each_layout),
		CASE(what_is_more_than_is_kept_is_asked_more_than_once),
		CASE(a_modulus_or_a_prime_alone_says_nothing),
		CASE(aes_schedules_are_found_in_each_form),
		CASE(plain_and_vector_code_find_the_same),
		CASE(random_generators_and_examples_are_told_apart),
		CASE(written_keys_are_found_named_and_proven),
		CASE(cores_are_read_by_address_whatever_the_file_offset),
		CASE(absurd_headers_are_survived),
		CASE(what_holds_no_key_is_silent),
		CASE(the_walled_in_scanner_says_the_same),
		CASE(records_that_cannot_be_are_refused),
		CASE(a_digest_is_that_of_all_bytes_holes_and_tails_included),
		CASE(a_dump_that_is_not_read_in_order_has_its_digest_too),
		CASE(what_was_unpacked_has_one_unless_it_broke_off),
		CASE(a_file_that_is_touched_is_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
