// SPDX-License-Identifier: GPL-2.0-or-later
/* Which programs take secrets in which arguments: a table, and its reading. */
#include "proc/redact-programs.h"

#include <string.h>

#include "base/cleanup.h"
#include "proc/redact-forms.h"

/*
 * Rules, separated by blanks:
 *   -p      the next word is a secret            -p*     the rest of this word is
 *   -p+     either; and in a word with `flags` before it, as getopt(3) reads them
 *   -u: -u+: the same for user:password          --x=    is followed by NAME=SECRET
 *   login@2 from the second plain word after `login` on all are
 *   -b@2    the same, if there is such an option @2      counted from the program
 *   %       a plain word that names a secret is followed by it
 *   =       plain words NAME=VALUE hold one
 *   >       what follows its options is another command
 * An option of two dashes is also found as --x=VALUE. Options whose name says secret by itself
 * (--password, -storepass, --token) need no rule. A program that stands here with no rule at all is
 * one whose -p is known to be something else.
 */
static const struct program {
	const char *name; /* of the file; a trailing * stands for any rest */
	const char
		*flags; /* short options without a value, that may stand before a + in one word */
	const char *rules;
} programs[] = {
	/* keys and certificates */
	{"ssh-keygen", "ABceghHiklLopqQuUvXy", "-N+ -P+"},
	{"openssl", "",
	 "-k -K -passin -passout -pass -password -psk -hmac -macopt -kdfopt -pkeyopt -srppass "
	 "passwd@1"},
	{"gpg*", "", "--passphrase"},
	{"pk12util", "", "-K+ -W+ -k -w"},
	{"keyctl", "", "add@3 padd@3 update@2"},
	/* logins, users */
	{"sshpass", "ev", "-p+ >"},
	{"login", "", "-p+"}, /* docker login, podman login, ... */
	{"useradd", "DmMNorU", "-p+"},
	{"usermod", "amoLU", "-p+"},
	{"groupadd", "", "-p+"},
	{"groupmod", "", "-p+"},
	{"mkpasswd", "", "@1"},
	{"htpasswd", "cnmBdspDv25i", "-b@2"},
	{"slappasswd", "vuhcgo", "-s+"},
	{"wpa_passphrase", "", "@2"},
	{"wpa_cli", "", "%"},
	{"nmcli", "", "%"},
	{"iwctl", "", "%"},
	{"iwconfig", "", "key@1"},
	{"pppd", "", "password@1"},
	{"kadmin*", "", "-w+ -pw"},
	{"net", "", "-U+: user@2 password@1"},
	{"samba-tool", "", "-U+: create@2 add@2"},
	{"winexe", "", "-U+:"},
	{"wmic", "", "-U+:"},
	{"smbclient", "NgELkPa", "-U+: @2"},
	{"rpcclient", "NkP", "-U+:"},
	{"radtest", "", "@2"},
	{"ldappasswd", "nvxWZASCIQ", "-w+ -s+ -a+"},
	{"ldap*", "nvxWZMckKAtuLCIQ", "-w+"},
	{"dsconf", "", "-w+"},
	{"bw", "", "login@2 unlock@1"},
	/* the network */
	{"curl", "sSfLkivgGIOJNqRZ0123460#aBjlnp", "-u+: -U+: -E+: --cert: --proxy-cert:"},
	{"lftp", "d", "-u+: user@2"},
	{"ncftp*", "", "-p+"},
	{"plink", "", "-pw"},
	{"pscp", "", "-pw"},
	{"psftp", "", "-pw"},
	{"xfreerdp*", "", "/p:* -p"},
	{"wlfreerdp*", "", "/p:* -p"},
	{"rdesktop", "", "-p+"},
	{"ipmitool", "", "-P+ -K+ -k+ -y+"},
	{"ipmi*", "", "-p+ -P+ -k"},
	{"snmp*", "", "-A+ -X+ -c+ -3k -3K"},
	{"mosquitto_*", "", "-P+ --pw"},
	{"openconnect", "", "-p+"},
	{"eapol_test", "", "-s+"},
	{"swaks", "", "-ap -xp"},
	{"sendemail", "", "-xp"},
	{"hydra", "", "-p+"},
	{"nxc", "", "-p"},
	{"crackmapexec", "", "-p"},
	{"smbmap", "", "-p"},
	{"evil-winrm", "", "-p"},
	/* databases */
	/* As a word of its own it is a mistake that people make. */
	{"mysql*", "ABbCcEGHiKLNnoqrstVvwX", "-p+ %"},
	{"mariadb*", "ABbCcEGHiKLNnoqrstVvwX", "-p+ %"},
	{"mongo*", "", "-p+"},
	{"redis-cli", "", "-a --pass"},
	{"sqlplus", "", "@1"}, /* user/password@database */
	{"sqlldr", "", "@1"},
	{"sqlcmd", "", "-P+ -Z+ -z+"},
	{"bcp", "", "-P+"},
	{"tsql", "", "-P+"},
	{"isql", "", "-P+ @3"},
	{"cqlsh", "", "-p+"},
	{"cypher-shell", "", "-p+"},
	{"beeline", "", "-p+"},
	{"couchbase-cli", "", "-p+"},
	{"rabbitmqctl", "", "add_user@2 change_password@2 authenticate_user@2"},
	/* clouds, registries, packages */
	{"aws", "", "%"},
	{"az", "", "-p"},
	{"vault", "", "login@1 unwrap@1 unseal@1 % ="},
	{"kubectl", "", "--from-literal="},
	{"oc", "", "--from-literal="},
	{"rclone", "", "obscure@1 %"},
	{"mc", "", "set@4"},
	{"b2", "", "authorize-account@2 authorize_account@2"},
	{"cargo", "", "login@1"},
	{"twine", "", "-p+"},
	{"poetry", "", "config@3 %"},
	{"composer", "", "config@3"},
	{"http", "", "-a+:"},
	{"https", "", "-a+:"},
	{"doctl", "", "-t"},
	{"ansible-vault", "", "encrypt_string@1"},
	/* files */
	{"zip", "rjqemuvTXyD0123456789", "-P+"},
	{"unzip", "fpulqnoajCLVXDt", "-P+"},
	{"7z*", "", "-p*"},
	{"rar", "", "-p* -hp*"},
	{"unrar", "", "-p*"},
	{"arj", "", "-g*"},
	{"ccrypt", "edc", "-K+ -H+"},
	{"mcrypt", "dqzb", "-k+"},
	{"steghide", "", "-p"},
	{"veracrypt", "", "-p+"},
	{"truecrypt", "", "-p+"},
	{"zuluCrypt*", "", "-p"},
	{"qpdf", "", "--encrypt --password"},
	{"pdftk", "", "%"},
	{"pdf*", "", "-upw -opw"},
	{"virsh", "", "secret-set-value@2 --base64"},
	/* here -p is a port, a mode, a file or a habit */
	{"ssh", "", ""},
	{"wget", "", ""},
	{"psql", "", ""},
	{"scp", "", ""},
	{"sftp", "", ""},
	{"rsync", "", ""},
	{"mkdir", "", ""},
	{"cp", "", ""},
	{"tar", "", ""},
	{"ps", "", ""},
	{"git", "", ""},
	{"nmap", "", ""},
	{"python*", "", ""},
	{"perl", "", ""},
	{"systemctl", "", ""},
	{"age", "", ""},
	{"restic", "", ""},
};

/* Take a secret on standard input when they are told to, and are seldom piped into otherwise. */
static const char *const readers[] = {
	"sudo",		 "su",
	"doas",		 "passwd",
	"chpasswd",	 "chgpasswd",
	"newusers",	 "cryptsetup",
	"kinit",	 "gpg",
	"gpg2",		 "openssl",
	"smbpasswd",	 "pdbedit",
	"sshpass",	 "ssh-add",
	"mkpasswd",	 "keyctl",
	"pass",		 "secret-tool",
	"vault",	 "login",
	"adcli",	 "realm",
	"veracrypt",	 "htpasswd",
	"systemd-creds", "restic",
	"borg",		 "ansible-vault",
	"vncpasswd",	 "grub-mkpasswd-pbkdf2",
	"age",		 NULL,
};

static struct span base_name(struct span word)
{
	for (size_t i = word.len; i > 0; i--) {
		if (word.p[i - 1] == '/') {
			word.p += i;
			word.len -= i;
			break;
		}
	}
	return word;
}

const struct program *redact_program(struct span word)
{
	word = base_name(word);
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		const char *name = programs[i].name;
		size_t n;

		if (!word.len || name[0] != word.p[0])
			continue;
		n = strlen(name);
		if (name[n - 1] == '*' ? word.len >= n - 1 && !memcmp(word.p, name, n - 1)
				       : word.len == n && !memcmp(word.p, name, n))
			return &programs[i];
	}
	return NULL;
}

bool redact_reads_secret(struct span word)
{
	return redact_name_in(base_name(word), readers);
}

/* The next rule of a list; advances it. An empty one: the end. */
static struct span next_rule(const char **list)
{
	struct span rule;

	*list += strspn(*list, " ");
	rule = (struct span){*list, strcspn(*list, " ")};
	*list += rule.len;
	return rule;
}

static bool take_last(struct span *rule, char c)
{
	if (rule->len < 2 || rule->p[rule->len - 1] != c)
		return false;
	rule->len--;
	return true;
}

static bool begins(struct span word, struct span with)
{
	return word.len >= with.len && !memcmp(word.p, with.p, with.len);
}

/* Where the value of option `name` (-x) begins in a word of short options; 0: it is not there. */
static size_t in_cluster(const char *flags, struct span name, struct span word)
{
	if (name.len != 2 || name.p[0] != '-' || word.len < 2 || word.p[0] != '-')
		return 0;
	for (size_t i = 1; i < word.len; i++) {
		if (word.p[i] == name.p[1])
			return i + 1;
		if (!word.p[i] || !strchr(flags, word.p[i]))
			return 0;
	}
	return 0;
}

enum expect redact_program_option(const struct program *program, struct span word,
				  size_t *out_value)
{
	const char *list = program->rules;

	for (struct span rule = next_rule(&list); rule.len; rule = next_rule(&list)) {
		enum expect expect = EXPECT_SECRET;
		size_t at;

		if (rule.len < 2 || memchr(rule.p, '@', rule.len))
			continue;
		if (rule.p[0] == '/') { /* /p:VALUE */
			rule.len--;
			if (word.len > rule.len && begins(word, rule)) {
				*out_value = rule.len;
				return expect;
			}
			continue;
		}
		if (take_last(&rule, ':'))
			expect = EXPECT_USERPASS;
		else if (take_last(&rule, '='))
			expect = EXPECT_PAIR;
		if (take_last(&rule, '+')) {
			at = in_cluster(program->flags, rule, word);
			if (at) {
				*out_value = at < word.len ? at : 0;
				return expect;
			}
			continue;
		}
		if (take_last(&rule, '*')) {
			if (word.len > rule.len && begins(word, rule)) {
				*out_value = rule.len;
				return expect;
			}
			continue;
		}
		if (!begins(word, rule))
			continue;
		if (word.len == rule.len) {
			*out_value = 0;
			return expect;
		}
		if (rule.p[1] == '-' && word.p[rule.len] == '=') {
			*out_value = rule.len + 1;
			return expect;
		}
	}
	return EXPECT_NOTHING;
}

unsigned redact_program_after(const struct program *program, struct span word)
{
	const char *list = program->rules;

	for (struct span rule = next_rule(&list); rule.len; rule = next_rule(&list)) {
		const char *at = memchr(rule.p, '@', rule.len);
		struct span name;

		if (!at)
			continue;
		name = (struct span){rule.p, (size_t)(at - rule.p)};
		if ((word.len == name.len && begins(word, name)) ||
		    (name.len && in_cluster(program->flags, name, word)))
			return (unsigned)(at[1] - '0');
	}
	return 0;
}

static bool has_rule(const struct program *program, char c)
{
	const char *list = program->rules;

	for (struct span rule = next_rule(&list); rule.len; rule = next_rule(&list))
		if (rule.len == 1 && rule.p[0] == c)
			return true;
	return false;
}

bool redact_program_runs(const struct program *program)
{
	return has_rule(program, '>');
}

bool redact_program_named(const struct program *program)
{
	return has_rule(program, '%');
}

bool redact_program_pairs(const struct program *program)
{
	return has_rule(program, '=');
}
