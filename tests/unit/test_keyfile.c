// SPDX-License-Identifier: GPL-2.0-or-later
/* Every container that the tools here can make: named as those tools name the key themselves. */
#include "scan/keyfile.h"

#include "unit/keymaker.h"
#include "unit/tmpdir.h"

struct want {
	const char *name;
	const char *make; /* shell, leaves the key in "k"; and k.pub, if the case has a sibling */
	enum key_kind kind;
	enum key_format format;
	enum key_source source;
	bool encrypted;
	/* Shell that prints what the id must be; NULL = it must be empty. */
	const char *fp;
	const char *spki;
	const char *comment;
};

#define SSH_FP	  "ssh-keygen -lf k.pub"
#define SSH_FP_OF "(umask 77; cp k k.tmp; ssh-keygen -y -f k.tmp >t.pub); ssh-keygen -lf t.pub"
#define SPKI_SUM  "openssl pkey -in k -passin pass:secret -pubout -outform DER | sha256sum"
#define SPKI_SSH \
	"ssh-keygen -e -m PKCS8 -f k.pub | openssl pkey -pubin -pubout -outform DER | sha256sum"
#define SPKI_SSH_ED                                                                \
	"{ printf '\\060\\052\\060\\005\\006\\003\\053\\145\\160\\003\\041\\000';" \
	" cut -d' ' -f2 k.pub | base64 -d | tail -c 32; }"                         \
	" | openssl pkey -pubin -inform DER -pubout -outform DER | sha256sum"

static const struct want wants[] = {
	{"openssh rsa", "ssh-keygen -q -t rsa -b 3072 -N '' -C 'alice at home' -f k", KEY_RSA,
	 KEYFMT_OPENSSH, KEYSRC_FILE, false, SSH_FP, SPKI_SSH, "alice at home"},
	{"openssh rsa without its sibling",
	 "ssh-keygen -q -t rsa -b 2048 -N '' -C hidden -f k; mv k.pub k2.pub", KEY_RSA,
	 KEYFMT_OPENSSH, KEYSRC_FILE, false, "ssh-keygen -lf k2.pub", NULL, "hidden"},
	{"openssh dsa", "ssh-keygen -q -t dsa -N '' -C d -f k", KEY_DSA, KEYFMT_OPENSSH,
	 KEYSRC_STATED, false, SSH_FP, SPKI_SSH, "d"},
	{"openssh p256", "ssh-keygen -q -t ecdsa -b 256 -N '' -C e -f k", KEY_EC, KEYFMT_OPENSSH,
	 KEYSRC_FILE, false, SSH_FP, SPKI_SSH, "e"},
	{"openssh p384", "ssh-keygen -q -t ecdsa -b 384 -N '' -C e -f k", KEY_EC, KEYFMT_OPENSSH,
	 KEYSRC_FILE, false, SSH_FP, SPKI_SSH, "e"},
	{"openssh p521", "ssh-keygen -q -t ecdsa -b 521 -N '' -C e -f k", KEY_EC, KEYFMT_OPENSSH,
	 KEYSRC_FILE, false, SSH_FP, SPKI_SSH, "e"},
	{"openssh ed25519", "ssh-keygen -q -t ed25519 -N '' -C ed -f k", KEY_ED25519,
	 KEYFMT_OPENSSH, KEYSRC_FILE, false, SSH_FP, SPKI_SSH_ED, "ed"},
	{"openssh ed25519, encrypted: the public half is in clear",
	 "ssh-keygen -q -t ed25519 -N secret -a 1 -C ed -f k", KEY_ED25519, KEYFMT_OPENSSH,
	 KEYSRC_STATED, true, SSH_FP, SPKI_SSH_ED, "ed"},
	{"openssh rsa, encrypted, no sibling: no comment",
	 "ssh-keygen -q -t rsa -b 2048 -N secret -a 1 -C x -f k; mv k.pub k2.pub", KEY_RSA,
	 KEYFMT_OPENSSH, KEYSRC_STATED, true, "ssh-keygen -lf k2.pub", NULL, ""},
	{"another key's sibling is not believed",
	 "ssh-keygen -q -t ed25519 -N secret -a 1 -C a -f k; cp k.pub k2.pub;"
	 " ssh-keygen -q -t ed25519 -N '' -C b -f o; cp o.pub k.pub",
	 KEY_ED25519, KEYFMT_OPENSSH, KEYSRC_STATED, true, "ssh-keygen -lf k2.pub", NULL, ""},
	{"pem rsa", "ssh-keygen -q -t rsa -b 2048 -m PEM -N '' -C c -f k", KEY_RSA, KEYFMT_PKCS1,
	 KEYSRC_FILE, false, SSH_FP, SPKI_SUM, "c"},
	{"pem rsa, encrypted: named from its sibling",
	 "ssh-keygen -q -t rsa -b 2048 -m PEM -N secret -C c -f k", KEY_RSA, KEYFMT_PKCS1,
	 KEYSRC_SIBLING, true, SSH_FP, SPKI_SUM, "c"},
	{"pem rsa, encrypted, no sibling",
	 "ssh-keygen -q -t rsa -b 2048 -m PEM -N secret -C c -f k; rm k.pub", KEY_RSA, KEYFMT_PKCS1,
	 KEYSRC_NONE, true, NULL, NULL, ""},
	{"pem rsa, encrypted, with a sibling of another kind",
	 "ssh-keygen -q -t rsa -b 2048 -m PEM -N secret -f k; rm k.pub;"
	 " ssh-keygen -q -t ed25519 -N '' -f o; mv o.pub k.pub",
	 KEY_RSA, KEYFMT_PKCS1, KEYSRC_NONE, true, NULL, NULL, ""},
	{"pem ec by ssh-keygen", "ssh-keygen -q -t ecdsa -b 384 -m PEM -N '' -C c -f k", KEY_EC,
	 KEYFMT_SEC1, KEYSRC_FILE, false, SSH_FP, SPKI_SUM, "c"},
	{"pem dsa", "ssh-keygen -q -t dsa -m PEM -N '' -C c -f k", KEY_DSA, KEYFMT_DSA, KEYSRC_FILE,
	 false, SSH_FP, SPKI_SUM, "c"},
	{"sec1 with EC PARAMETERS before", "openssl ecparam -name prime256v1 -genkey -out k",
	 KEY_EC, KEYFMT_SEC1, KEYSRC_FILE, false, SSH_FP_OF, SPKI_SUM, ""},
	{"sec1 without its public part",
	 "openssl ecparam -name secp384r1 -genkey -noout |"
	 " openssl ec -no_public -out k",
	 KEY_EC, KEYFMT_SEC1, KEYSRC_FILE, false, NULL,
	 "openssl pkey -in k -pubout -outform DER | sha256sum", ""},
	{"secp256k1: OpenSSH has no name for it",
	 "openssl ecparam -name secp256k1 -genkey -noout -out k", KEY_EC, KEYFMT_SEC1, KEYSRC_FILE,
	 false, NULL, SPKI_SUM, ""},
	{"explicit curve parameters",
	 "openssl ecparam -name prime256v1 -param_enc explicit -genkey -noout -out k", KEY_EC,
	 KEYFMT_SEC1, KEYSRC_FILE, false, NULL, SPKI_SUM, ""},
	{"compressed point",
	 "openssl ecparam -name prime256v1 -genkey -noout | openssl ec -conv_form compressed -out k",
	 KEY_EC, KEYFMT_SEC1, KEYSRC_FILE, false, SSH_FP_OF, SPKI_SUM, ""},
	{"pkcs8 rsa", "openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out k",
	 KEY_RSA, KEYFMT_PKCS8, KEYSRC_FILE, false, SSH_FP_OF, SPKI_SUM, ""},
	{"pkcs8 rsa-pss has no OpenSSH name",
	 "openssl genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048 -out k", KEY_RSA,
	 KEYFMT_PKCS8, KEYSRC_FILE, false, NULL, SPKI_SUM, ""},
	{"pkcs8 ec", "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-521 -out k",
	 KEY_EC, KEYFMT_PKCS8, KEYSRC_FILE, false, SSH_FP_OF, SPKI_SUM, ""},
	{"pkcs8 ed25519", "openssl genpkey -algorithm ED25519 -out k", KEY_ED25519, KEYFMT_PKCS8,
	 KEYSRC_FILE, false,
	 "{ printf 'ssh-ed25519 '; { printf '\\0\\0\\0\\013ssh-ed25519\\0\\0\\0\\040';"
	 " openssl pkey -in k -pubout -outform DER | tail -c 32; } | base64 -w0; echo; } >t.pub;"
	 " ssh-keygen -lf t.pub",
	 SPKI_SUM, ""},
	{"pkcs8 ed448", "openssl genpkey -algorithm ED448 -out k", KEY_ED448, KEYFMT_PKCS8,
	 KEYSRC_FILE, false, NULL, SPKI_SUM, ""},
	{"pkcs8 x25519", "openssl genpkey -algorithm X25519 -out k", KEY_X25519, KEYFMT_PKCS8,
	 KEYSRC_FILE, false, NULL, SPKI_SUM, ""},
	{"pkcs8 dh: another kind, still with its canonical id",
	 "openssl genpkey -algorithm DH -pkeyopt group:ffdhe2048 -out k", KEY_OTHER, KEYFMT_PKCS8,
	 KEYSRC_FILE, false, NULL, SPKI_SUM, ""},
	{"pkcs8 encrypted (PBES2)",
	 "openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -aes256 -pass pass:secret"
	 " -out k",
	 KEY_OTHER, KEYFMT_PKCS8, KEYSRC_NONE, true, NULL, NULL, ""},
	{"pkcs8 encrypted, a PUBLIC KEY beside it",
	 "openssl genpkey -algorithm ED448 -aes256 -pass pass:secret -out k;"
	 " openssl pkey -in k -passin pass:secret -pubout -out k.pub",
	 KEY_ED448, KEYFMT_PKCS8, KEYSRC_SIBLING, true, NULL, SPKI_SUM, ""},
	{"pkcs8 encrypted, its certificate in the same file",
	 "openssl req -x509 -newkey rsa:2048 -passout pass:secret -subj /CN=x -keyout k1 -out c;"
	 " cat c k1 >k",
	 KEY_RSA, KEYFMT_PKCS8, KEYSRC_SIBLING, true,
	 "openssl x509 -in c -pubkey -noout >p; ssh-keygen -i -m PKCS8 -f p >t.pub;"
	 " ssh-keygen -lf t.pub",
	 SPKI_SUM, ""},
	{"certificate and key in one file: the key counts",
	 "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=x -keyout k1 -out c; cat c k1 >k",
	 KEY_RSA, KEYFMT_PKCS8, KEYSRC_FILE, false, NULL, SPKI_SUM, ""},
	{"text around the key",
	 "openssl genpkey -algorithm ED25519 -out k1;"
	 " { echo 'Bag Attributes'; echo ' friendlyName: x'; cat k1; } >k",
	 KEY_ED25519, KEYFMT_PKCS8, KEYSRC_FILE, false, NULL, SPKI_SUM, ""},
	{"line ends of Windows", "openssl genpkey -algorithm ED25519 -out k1; sed 's/$/\\r/' k1 >k",
	 KEY_ED25519, KEYFMT_PKCS8, KEYSRC_FILE, false, NULL,
	 "openssl pkey -in k1 -pubout -outform DER | sha256sum", ""},
	{"der pkcs1",
	 "openssl genrsa -traditional 2048 | openssl rsa -traditional -outform DER -out k", KEY_RSA,
	 KEYFMT_PKCS1, KEYSRC_FILE, false, NULL, SPKI_SUM, ""},
	{"der pkcs8", "openssl genpkey -algorithm ED25519 -outform DER -out k", KEY_ED25519,
	 KEYFMT_PKCS8, KEYSRC_FILE, false, NULL, SPKI_SUM, ""},
	{"der pkcs8 encrypted",
	 "openssl genpkey -algorithm ED25519 | openssl pkcs8 -topk8 -outform DER"
	 " -passout pass:secret -out k",
	 KEY_OTHER, KEYFMT_PKCS8, KEYSRC_NONE, true, NULL, NULL, ""},
	{"der pkcs8 encrypted the PKCS#12 way",
	 "openssl genpkey -algorithm ED25519 | openssl pkcs8 -topk8 -outform DER"
	 " -v1 PBE-SHA1-3DES -passout pass:secret -out k",
	 KEY_OTHER, KEYFMT_PKCS8, KEYSRC_NONE, true, NULL, NULL, ""},
	{"pkcs8 version 1 with its public key (RFC 5958)",
	 "openssl genpkey -algorithm ED25519 -outform DER -out d;"
	 " openssl pkey -inform DER -in d -pubout -outform DER | tail -c 32 >q;"
	 " { printf '\\060\\121\\002\\001\\001'; tail -c +6 d; printf '\\201\\041\\0'; cat q; } >k",
	 KEY_ED25519, KEYFMT_PKCS8, KEYSRC_FILE, false, NULL,
	 "openssl pkey -inform DER -in d -pubout -outform DER | sha256sum", ""},
	{"pkcs12",
	 "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=x -keyout k1 -out c;"
	 " openssl pkcs12 -export -in c -inkey k1 -passout pass:secret -out k",
	 KEY_OTHER, KEYFMT_PKCS12, KEYSRC_NONE, true, NULL, NULL, ""},
	{"pkcs12 in clear",
	 "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=x -keyout k1 -out c;"
	 " openssl pkcs12 -export -in c -inkey k1 -keypbe NONE -certpbe NONE -passout pass:secret"
	 " -out k",
	 KEY_OTHER, KEYFMT_PKCS12, KEYSRC_NONE, false, NULL, NULL, ""},
	{"putty 3, encrypted",
	 "ssh-keygen -q -t ed25519 -N '' -C x -f o; { echo 'PuTTY-User-Key-File-3: ssh-ed25519';"
	 " echo 'Encryption: aes256-cbc'; echo 'Comment: from putty'; echo 'Public-Lines: 2';"
	 " cut -d' ' -f2 o.pub | fold -w 64; echo 'Key-Derivation: Argon2id'; echo;"
	 " } >k; cp o.pub o2; mv o.pub t.pub",
	 KEY_ED25519, KEYFMT_PUTTY, KEYSRC_STATED, true, "ssh-keygen -lf t.pub", NULL,
	 "from putty"},
	{"putty 2, Windows line ends",
	 "ssh-keygen -q -t rsa -b 2048 -N '' -C x -f o; B=$(cut -d' ' -f2 o.pub | fold -w 64);"
	 " { echo 'PuTTY-User-Key-File-2: ssh-rsa'; echo 'Encryption: none'; echo 'Comment: c';"
	 " echo \"Public-Lines: $(echo \"$B\" | wc -l)\"; echo \"$B\"; echo 'Private-Lines: 1';"
	 " echo AAAA; } | sed 's/$/\\r/' >k",
	 KEY_RSA, KEYFMT_PUTTY, KEYSRC_STATED, false, "ssh-keygen -lf o.pub", NULL, "c"},
	/* A colleague's public half in front of what is not its private one. */
	{"openssh, another's public half",
	 "for f in m o; do ssh-keygen -q -t ed25519 -N '' -C me -f $f; done;"
	 " body() { sed '1d;$d' $1 | base64 -d; }; { echo '-----BEGIN OPENSSH PRIVATE KEY-----';"
	 " { body o | head -c 98; body m | tail -c +99; } | base64;"
	 " echo '-----END OPENSSH PRIVATE KEY-----'; } >k; cp o.pub k.pub",
	 KEY_OTHER, KEYFMT_OPENSSH, KEYSRC_NONE, false, NULL, NULL, "me"},
	{"openssh, another's public half in both places",
	 "ssh-keygen -q -t ed25519 -N '' -C x -f o; { echo '-----BEGIN OPENSSH PRIVATE KEY-----';"
	 " sed '1d;$d' o | base64 -d | { head -c 161; head -c 32 /dev/zero | tr '\\0' a;"
	 " tail -c +33; } | base64; echo '-----END OPENSSH PRIVATE KEY-----'; } >k; cp o.pub k.pub",
	 KEY_OTHER, KEYFMT_OPENSSH, KEYSRC_NONE, false, NULL, NULL, "x"},
	{"sec1, another's public half",
	 "openssl ecparam -name prime256v1 -genkey -noout -outform DER -out o;"
	 " openssl ecparam -name prime256v1 -genkey -noout -outform DER -out m;"
	 " { head -c 39 m; tail -c +40 o; } >k",
	 KEY_EC, KEYFMT_SEC1, KEYSRC_NONE, false, NULL, NULL, ""},
	{"pkcs#1, another's n",
	 "openssl genrsa -traditional 2048 | openssl rsa -traditional -outform DER -out o;"
	 " openssl genrsa -traditional 2048 | openssl rsa -traditional -outform DER -out m;"
	 " { head -c 7 m; tail -c +8 o | head -c 261; tail -c +269 m; } >k",
	 KEY_RSA, KEYFMT_PKCS1, KEYSRC_NONE, false, NULL, NULL, ""},
	{"a public key is none", "ssh-keygen -q -t ed25519 -N '' -f o; cp o.pub k", KEY_NONE,
	 KEYFMT_UNKNOWN, KEYSRC_NONE, false, NULL, NULL, ""},
	{"a certificate is none",
	 "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=x -keyout o -out k", KEY_NONE,
	 KEYFMT_UNKNOWN, KEYSRC_NONE, false, NULL, NULL, ""},
	{"text", "echo hello >k", KEY_NONE, KEYFMT_UNKNOWN, KEYSRC_NONE, false, NULL, NULL, ""},
	{"nothing", ": >k", KEY_NONE, KEYFMT_UNKNOWN, KEYSRC_NONE, false, NULL, NULL, ""},
	{"noise", "head -c 30000 /dev/urandom | tr -d '\\n' >k1; printf x >k; cat k1 >>k", KEY_NONE,
	 KEYFMT_UNKNOWN, KEYSRC_NONE, false, NULL, NULL, ""},
	{"a template of a key",
	 "printf -- '-----BEGIN RSA PRIVATE KEY-----\\n...\\n-----END RSA PRIVATE KEY-----\\n' >k",
	 KEY_NONE, KEYFMT_UNKNOWN, KEYSRC_NONE, false, NULL, NULL, ""},
	{"a key that is cut off still is one",
	 "openssl genrsa -traditional 2048 | head -c 900 >k; echo >>k", KEY_RSA, KEYFMT_PKCS1,
	 KEYSRC_NONE, false, NULL, NULL, ""},
};

static void check(const char *dir, const struct want *want, const struct key_identity *id)
{
	char out[512] = "", fp[128] = "", kind[32] = "", hex[65] = "";
	unsigned bits = 0;

	print_message("  %s\n", want->name);
	assert_string_equal(key_kind_str(id->kind), key_kind_str(want->kind));
	assert_string_equal(key_format_str(id->format), key_format_str(want->format));
	assert_int_equal(id->source, want->source);
	assert_int_equal(id->encrypted, want->encrypted);
	if (want->comment)
		assert_string_equal(id->comment, want->comment);
	if (want->fp) {
		shell(dir, out, sizeof(out), "%s", want->fp);
		/* 256 SHA256:... comment (ED25519) */
		assert_int_equal(sscanf(out, "%u %127s", &bits, fp), 2);
		assert_non_null(strrchr(out, '('));
		snprintf(kind, sizeof(kind), "(%s)", key_kind_str(id->kind));
		assert_string_equal(strrchr(out, '('), kind);
		assert_int_equal(id->bits, bits);
		assert_string_equal(id->ssh_fp, fp);
	}
	if (want->spki) {
		shell(dir, out, sizeof(out), "%s", want->spki);
		for (int i = 0; i < 32; i++)
			snprintf(hex + 2 * i, 3, "%02x", id->spki[i]);
		assert_memory_equal(out, hex, 64);
		assert_true(id->has_spki);
	}
	if (want->source == KEYSRC_NONE) {
		assert_false(id->has_spki);
		assert_string_equal(id->ssh_fp, "");
	}
}

static void each_container_is_named_as_its_tools_name_it(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(wants); i++) {
		struct key_identity id;
		struct bytes file, sibling;
		char dir[128];

		snprintf(dir, sizeof(dir), "%s/%zu", (const char *)*state, i);
		shell(*state, NULL, 0, "mkdir %zu", i);
		shell(dir, NULL, 0, "%s", wants[i].make);
		file = slurp(dir, "k");
		sibling = slurp(dir, "k.pub");
		assert_int_equal(keyfile_identify(file, sibling, &id), 0);
		check(dir, &wants[i], &id);
		free((void *)file.p);
		free((void *)sibling.p);
	}
}

/* The agent names its files by keygrip, so each file says what must come out. */
static void gpg_agent_files_have_their_keygrip(void **state)
{
	static const char *const keys[] = {"rsa2048",  "dsa2048",  "ed25519",	"nistp256",
					   "nistp384", "nistp521", "secp256k1", "brainpoolP256r1"};
	unsigned files = 0;

	shell(*state, NULL, 0, "mkdir -m 700 g");
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		shell(*state, NULL, 0,
		      "GNUPGHOME=$PWD/g gpg --batch --no-tty --pinentry-mode loopback --passphrase"
		      " '%s' --quick-gen-key 'u%zu <u@x>' %s",
		      i % 2 ? "secret" : "", i, keys[i]);
	shell(*state, NULL, 0,
	      "GNUPGHOME=$PWD/g gpg --batch --no-tty --pinentry-mode loopback --passphrase ''"
	      " --quick-add-key $(GNUPGHOME=$PWD/g gpg --list-keys --with-colons u2 |"
	      " sed -n 's/^fpr:*\\([0-9A-F]*\\):/\\1/p' | head -1) cv25519");
	shell(*state, NULL, 0, "ls g/private-keys-v1.d >names");
	FILE *names = fopen(tmpdir_path(state, "names"), "r");
	char name[64];

	while (fscanf(names, "%63s", name) == 1) {
		char path[128];
		struct key_identity id;
		struct bytes file;

		snprintf(path, sizeof(path), "g/private-keys-v1.d/%s", name);
		file = slurp(*state, path);
		assert_int_equal(keyfile_identify(file, (struct bytes){NULL, 0}, &id), 0);
		print_message("  %s %s %s\n", key_kind_str(id.kind), id.curve,
			      id.encrypted ? "encrypted" : "plain");
		assert_int_equal(id.format, KEYFMT_GPG_AGENT);
		assert_int_equal(id.source, KEYSRC_STATED);
		assert_memory_equal(id.keygrip, name, 40);
		assert_true(id.has_spki);
		free((void *)file.p);
		files++;
	}
	fclose(names);
	assert_int_equal(files, ARRAY_SIZE(keys) + 1);
	shell(*state, NULL, 0, "GNUPGHOME=$PWD/g gpgconf --kill gpg-agent");
}

static void gpg_agent_keys_are_named_for_ssh_too(void **state)
{
	struct key_identity id;
	struct bytes file;
	char grip[64], fp[256], hash[128];

	shell(*state, NULL, 0, "mkdir -m 700 g");
	shell(*state, NULL, 0,
	      "GNUPGHOME=$PWD/g gpg --batch --no-tty --pinentry-mode loopback --passphrase secret"
	      " --quick-gen-key u ed25519 auth");
	shell(*state, grip, sizeof(grip), "ls g/private-keys-v1.d");
	shell(*state, fp, sizeof(fp),
	      "GNUPGHOME=$PWD/g gpg --export-ssh-key u >s.pub; ssh-keygen -lf s.pub");
	assert_int_equal(sscanf(fp, "256 %127s", hash), 1);
	shell(*state, NULL, 0, "cp g/private-keys-v1.d/* one");
	file = slurp(*state, "one");
	assert_int_equal(keyfile_identify(file, (struct bytes){NULL, 0}, &id), 0);
	assert_string_equal(id.ssh_fp, hash);
	assert_true(id.encrypted);
	free((void *)file.p);
	shell(*state, NULL, 0, "GNUPGHOME=$PWD/g gpgconf --kill gpg-agent");
}

/* The older canonical form, which GnuPG before 2.3 writes and later ones still read. */
static void canonical_and_extended_forms_agree(void **state)
{
	static const char extended[] =
		"Created: 20240101T000000\n"
		"Key: (private-key (ecc (curve Ed25519)(flags eddsa)(q #40\n"
		"  3D4017C3E843895A92B70AA74D1B7EBC9C982CCF2EC4968CC0CD55F12AF4660C#)\n"
		"  (d #4CCD089B28FF96DA9DB6C346EC114E0F5B8A319F35ABA624DA8CF6ED4FB8A6FB#)))\n";
	uint8_t canonical[256];
	struct key_identity a, b;
	size_t n = 0;
	static const uint8_t q[] = {0x40, 0x3d, 0x40, 0x17, 0xc3, 0xe8, 0x43, 0x89, 0x5a,
				    0x92, 0xb7, 0x0a, 0xa7, 0x4d, 0x1b, 0x7e, 0xbc, 0x9c,
				    0x98, 0x2c, 0xcf, 0x2e, 0xc4, 0x96, 0x8c, 0xc0, 0xcd,
				    0x55, 0xf1, 0x2a, 0xf4, 0x66, 0x0c};

	n += (size_t)sprintf((char *)canonical,
			     "(11:private-key(3:ecc(5:curve7:Ed25519)(5:flags5:eddsa)(1:q33:");
	memcpy(canonical + n, q, sizeof(q));
	n += sizeof(q);
	n += (size_t)sprintf((char *)canonical + n, ")(1:d4:\1\2\3\4))(7:comment5:hello))");
	assert_int_equal(keyfile_identify(BYTES_STR(extended), (struct bytes){NULL, 0}, &a), 0);
	assert_int_equal(keyfile_identify((struct bytes){canonical, n}, (struct bytes){NULL, 0},
					  &b),
			 0);
	assert_int_equal(a.kind, KEY_ED25519);
	assert_string_equal(a.keygrip, b.keygrip);
	assert_string_equal(a.ssh_fp, b.ssh_fp);
	assert_string_equal(b.comment, "hello");
	assert_false(a.encrypted);
}

/* Armoured and plain, with and without a passphrase: gpg prints the keygrip to compare with. */
static void openpgp_exports_are_named(void **state)
{
	static const struct {
		const char *type, *pass;
	} keys[] = {{"rsa2048", ""},
		    {"ed25519", "secret"},
		    {"nistp384", ""},
		    {"dsa2048", "secret"}};

	shell(*state, NULL, 0, "mkdir -m 700 g");
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		for (int armor = 0; armor < 2; armor++) {
			struct key_identity id;
			struct bytes file;
			char grip[64];

			if (!armor)
				shell(*state, NULL, 0,
				      "GNUPGHOME=$PWD/g gpg --batch --no-tty --pinentry-mode"
				      " loopback --passphrase '%s' --quick-gen-key 'u%zu <u@x>' %s",
				      keys[i].pass, i, keys[i].type);
			shell(*state, NULL, 0,
			      "GNUPGHOME=$PWD/g gpg --batch --no-tty --pinentry-mode loopback"
			      " --passphrase '%s' %s --export-secret-keys u%zu >e%zu.%d",
			      keys[i].pass, armor ? "--armor" : "", i, i, armor);
			shell(*state, grip, sizeof(grip),
			      "GNUPGHOME=$PWD/g gpg --list-keys --with-colons --with-keygrip u%zu |"
			      " sed -n 's/^grp:*\\([0-9A-F]*\\):/\\1/p' | head -1",
			      i);
			char name[16], comment[32];

			snprintf(name, sizeof(name), "e%zu.%d", i, armor);
			snprintf(comment, sizeof(comment), "u%zu <u@x>", i);
			file = slurp(*state, name);
			assert_int_equal(keyfile_identify(file, (struct bytes){NULL, 0}, &id), 0);
			assert_int_equal(id.format, KEYFMT_PGP);
			assert_string_equal(id.keygrip, grip);
			assert_string_equal(id.comment, comment);
			assert_int_equal(id.encrypted, keys[i].pass[0] != '\0');
			free((void *)file.p);
		}
	}
	shell(*state, NULL, 0, "GNUPGHOME=$PWD/g gpgconf --kill gpg-agent");
}

static void security_keys_keep_their_application(void **state)
{
	/* A FIDO key cannot be made without a token: the file is put together by PROTOCOL.u2f. */
	static const uint8_t point[32] = {1, 2, 3};
	uint8_t blob[128], file[512];
	char out[256], fp[128];
	struct key_identity id;
	size_t n = 0, m = 0;

#define PUT(to, at, p, len)                    \
	do {                                   \
		(to)[(at)++] = 0;              \
		(to)[(at)++] = 0;              \
		(to)[(at)++] = 0;              \
		(to)[(at)++] = (uint8_t)(len); \
		memcpy((to) + (at), p, len);   \
		(at) += (len);                 \
	} while (0)
	PUT(blob, n, "sk-ssh-ed25519@openssh.com", 26);
	PUT(blob, n, point, 32);
	PUT(blob, n, "ssh:work", 8);
	memcpy(file, "openssh-key-v1", 15);
	m = 15;
	PUT(file, m, "none", 4);
	PUT(file, m, "none", 4);
	PUT(file, m, "", 0);
	memcpy(file + m, "\0\0\0\1", 4);
	m += 4;
	PUT(file, m, blob, n);
	FILE *f = fopen(tmpdir_path(state, "blob"), "w");

	fwrite(blob, 1, n, f);
	fclose(f);
	shell(*state, out, sizeof(out),
	      "{ printf 'sk-ssh-ed25519@openssh.com '; base64 -w0 blob; } >s.pub; ssh-keygen -lf"
	      " s.pub");
	assert_int_equal(sscanf(out, "256 %127s", fp), 1);
	assert_int_equal(keyfile_identify((struct bytes){file, m}, (struct bytes){NULL, 0}, &id),
			 0);
	assert_int_equal(id.kind, KEY_SK_ED25519);
	assert_string_equal(id.ssh_fp, fp);
}

static void comments_cannot_carry_control_characters(void **state)
{
	struct key_identity id;
	struct bytes file;

	shell(*state, NULL, 0,
	      "ssh-keygen -q -t ed25519 -N '' -C \"$(printf 'a\\033[2Jb\\nc')\" -f k");
	file = slurp(*state, "k");
	assert_int_equal(keyfile_identify(file, (struct bytes){NULL, 0}, &id), 0);
	assert_string_equal(id.comment, "a\\x1b[2Jb\\x0ac");
	free((void *)file.p);
}

/* Cut anywhere, with any byte changed: an answer, and never a name for a key that is not there. */
static void damage_is_survived(void **state)
{
	static const char *const make[] = {
		"ssh-keygen -q -t ed25519 -N '' -f k1",
		"openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -outform DER -out k1",
	};

	for (size_t m = 0; m < ARRAY_SIZE(make); m++) {
		struct key_identity whole, id;
		struct bytes file;

		shell(*state, NULL, 0, "rm -f k1 k1.pub; %s", make[m]);
		file = slurp(*state, "k1");
		assert_int_equal(keyfile_identify(file, (struct bytes){NULL, 0}, &whole), 0);
		assert_int_not_equal(whole.kind, KEY_NONE);
		for (size_t cut = 0; cut < file.len; cut++) {
			/* On the heap and exactly as long, so that a sanitizer sees each step too
			 * far. */
			uint8_t *part = malloc(cut ? cut : 1);

			memcpy(part, file.p, cut);
			assert_int_equal(keyfile_identify((struct bytes){part, cut},
							  (struct bytes){NULL, 0}, &id),
					 0);
			if (id.source == KEYSRC_FILE)
				assert_memory_equal(id.spki, whole.spki, 32);
			free(part);
		}
		free((void *)file.p);
	}
}

static void a_file_over_the_limit_is_refused(void **state)
{
	struct key_identity id = {.bits = 7};
	uint8_t *p = calloc(1, KEYFILE_MAX + 1);

	assert_int_equal(keyfile_identify((struct bytes){p, KEYFILE_MAX + 1},
					  (struct bytes){NULL, 0}, &id),
			 -EFBIG);
	assert_int_equal(id.bits, 7);
	free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(f) cmocka_unit_test_setup_teardown(f, tmpdir_make, tmpdir_clean)
		CASE(each_container_is_named_as_its_tools_name_it),
		CASE(gpg_agent_files_have_their_keygrip),
		CASE(gpg_agent_keys_are_named_for_ssh_too),
		CASE(canonical_and_extended_forms_agree),
		CASE(openpgp_exports_are_named),
		CASE(security_keys_keep_their_application),
		CASE(comments_cannot_carry_control_characters),
		CASE(damage_is_survived),
		CASE(a_file_over_the_limit_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
