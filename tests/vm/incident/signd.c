// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A service that signs, for the incident that is replayed in guests:
 *
 *	signd [--sealed] SOCKET KEY...
 *
 * Reads private keys (PEM), named by their files without .pem. Answers one line for each
 *connection: "sign NAME TEXT" gets the signature of TEXT (SHA-256; RSA PKCS#1 v1.5 or ECDSA) in
 *base64, or "error". With --sealed all memory that it writes to is left out of dumps before a key
 *is read.
 *
 * It has a fault, as services have: that there may be no key of the name asked for was not thought
 *of, and such a request ends it by SIGSEGV.
 */
#include <malloc.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#define HEAP	 (16 << 20)
#define KEYS_MAX 8

struct key {
	char name[64];
	EVP_PKEY *pkey;
};

static struct key keys[KEYS_MAX];
static size_t keys_nr;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/*
 * The heap gets all the room that it will ever need, in one piece that is not given back; then all
 * that is private and can be written to (heap, stack, data) is left out of dumps. What the stack
 * grows by belongs to the same piece.
 */
static void seal(void)
{
	unsigned long start, end;
	char access[8], line[512];
	FILE *maps;
	void *room;

	mallopt(M_MMAP_MAX, 0);
	mallopt(M_TRIM_THRESHOLD, 2 * HEAP);
	room = malloc(HEAP);
	maps = fopen("/proc/self/maps", "re");
	if (!room || !maps)
		die("seal");
	free(room);
	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx %7s", &start, &end, access) != 3 ||
		    strcmp(access, "rw-p") != 0)
			continue;
		if (madvise((void *)start, end - start, MADV_DONTDUMP) < 0)
			die("madvise");
	}
	fclose(maps);
}

static void read_key(const char *path)
{
	const char *base = strrchr(path, '/');
	struct key *key = &keys[keys_nr];
	BIO *file = BIO_new_file(path, "r");

	if (keys_nr == KEYS_MAX || !file)
		die(path);
	key->pkey = PEM_read_bio_PrivateKey(file, NULL, NULL, NULL);
	BIO_free(file);
	if (!key->pkey)
		die(path);
	base = base ? base + 1 : path;
	snprintf(key->name, sizeof(key->name), "%.*s", (int)strcspn(base, "."), base);
	keys_nr++;
}

static struct key *find_key(const char *name)
{
	for (size_t i = 0; i < keys_nr; i++)
		if (strcmp(keys[i].name, name) == 0)
			return &keys[i];
	return NULL;
}

/* Base64 of the signature into out; false if it cannot be made. */
static bool sign(EVP_PKEY *pkey, const char *text, char *out, size_t size)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char signature[1024];
	size_t n = sizeof(signature);
	bool done;

	done = ctx && EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, pkey) == 1 &&
	       EVP_DigestSign(ctx, signature, &n, (const unsigned char *)text, strlen(text)) == 1 &&
	       n * 4 / 3 + 4 < size;
	if (done)
		EVP_EncodeBlock((unsigned char *)out, signature, (int)n);
	EVP_MD_CTX_free(ctx);
	return done;
}

static void serve(FILE *peer)
{
	char request[4096], answer[2048], name[64];
	int text = 0;

	if (!fgets(request, sizeof(request), peer))
		return;
	request[strcspn(request, "\n")] = '\0';
	if (sscanf(request, "sign %63s %n", name, &text) != 1 || !text ||
	    !sign(find_key(name)->pkey, request + text, answer, sizeof(answer)))
		strcpy(answer, "error");
	fprintf(peer, "%s\n", answer);
}

int main(int argc, char **argv)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	bool sealed = argc > 1 && strcmp(argv[1], "--sealed") == 0;
	int listener, i = 1 + sealed;

	if (argc < i + 2)
		die("usage: signd [--sealed] SOCKET KEY...");
	if (sealed)
		seal();
	snprintf(at.sun_path, sizeof(at.sun_path), "%s", argv[i++]);
	while (i < argc)
		read_key(argv[i++]);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	unlink(at.sun_path);
	if (listener < 0 || bind(listener, (struct sockaddr *)&at, sizeof(at)) < 0 ||
	    listen(listener, 8) < 0)
		die(at.sun_path);
	sd_notify(0, "READY=1");
	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		FILE *peer = fd < 0 ? NULL : fdopen(fd, "r+");

		if (!peer)
			die("accept");
		serve(peer);
		fclose(peer);
	}
}
