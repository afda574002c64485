// SPDX-License-Identifier: GPL-2.0-or-later
/* Every way in which a policy can be wrong, with the exact words and the exact place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "policy/policy.h"

#define V	 "version: 1\n"
#define W	 V "watch:\n"
#define T(text_) text_, sizeof(text_) - 1
#define PATH(p)	 T(W "- {name: a, class: key, paths: [" p "]}\n")
#define AT_PATH	 "p.yaml:3:33: error: path "
#define EXCL(p)	 T(W "- {name: a, class: key, paths: [/x], exclude: [" p "]}\n")
#define AT_EXCL	 "p.yaml:3:48: error: exclusion "
#define EXE(p)	 T(W "- {name: a, class: key, paths: [/x], allow: [{exe: " p "}]}\n")
#define AT_EXE	 "p.yaml:3:52: error: exe "
#define SET(s)	 T(V "settings: {" s "}\n")

struct wrong {
	const char *what, *text;
	size_t len;
	const char *told;
};

static const struct wrong syntax[] = {
	{"nothing", T(""),
	 "p.yaml:1:1: error: the file is empty; to mask a file of this name, link it to "
	 "/dev/null\n"},
	{"only a comment", T("# x\n"),
	 "p.yaml:1:1: error: the file is empty; to mask a file of this name, link it to "
	 "/dev/null\n"},
	{"tab after a value", T(V "\twatch: []\n"),
	 "p.yaml:2:1: error: YAML: found a tab character that violates indentation, while scanning "
	 "a plain scalar that begins at 1:10; tabs cannot indent\n"},
	{"tab in a block", T(V "watch:\n\t- name: x\n"),
	 "p.yaml:3:1: error: YAML: found character that cannot start any token, while scanning for "
	 "the next token; tabs cannot indent\n"},
	{"tab after characters of two bytes", T("# \xc3\xa4\n\"\xc3\xa4\": \"\xc3\xa4\"\n\t- x\n"),
	 "p.yaml:3:1: error: YAML: found character that cannot start any token, while scanning for "
	 "the next token; tabs cannot indent\n"},
	{"bad indentation", T(W "- name: x\n class: y\n"),
	 "p.yaml:4:2: error: YAML: did not find expected key, while parsing a block mapping\n"},
	{"two colons", T("a: b: c\n"),
	 "p.yaml:1:5: error: YAML: mapping values are not allowed in this context\n"},
	{"open bracket", T(V "watch: [\n"),
	 "p.yaml:3:1: error: YAML: did not find expected node content, while parsing a flow node\n"},
	{"open quote", T(W " - name: \"x\n"),
	 "p.yaml:4:1: error: YAML: found unexpected end of stream, while scanning a quoted scalar "
	 "that begins at 3:10\n"},
	{"star without quotes", T(W "- paths: [*.pub]\n"),
	 "p.yaml:3:12: error: YAML: did not find expected alphabetic or numeric character, while "
	 "scanning an alias that begins at 3:11; a pattern that begins with `*` needs quotes\n"},
	{"another version of YAML", T("%YAML 3.0\n---\n" V),
	 "p.yaml:1:1: error: YAML: found incompatible YAML document\n"},
	{"not UTF-8", T("# \xc3\xa4\nversion: \xff\n"),
	 "p.yaml:2:10: error: YAML: invalid leading UTF-8 octet (0xff)\n"},
	{"cut UTF-8", T("a: \xc3("),
	 "p.yaml:1:5: error: YAML: invalid trailing UTF-8 octet (0x28)\n"},
	{"overlong UTF-8", T("a: \xc0\x80"),
	 "p.yaml:1:4: error: YAML: invalid length of a UTF-8 sequence\n"},
	{"UTF-16",
	 T("\xff\xfe"
	   "a\0:\0"),
	 "p.yaml:1:1: error: YAML: invalid leading UTF-8 octet (0xff)\n"},
	{"NUL byte", T(V "# a\n\0"),
	 "p.yaml:3:1: error: YAML: control characters are not allowed (0x00)\n"},
	{"escape character", T(V "# \x1b[1m\n"),
	 "p.yaml:2:3: error: YAML: control characters are not allowed (0x1b)\n"},
	{"two documents", T(V "---\n" V),
	 "p.yaml:2:1: error: a second document begins: a policy file holds one\n"},
	{"anchor of a value", T("version: &v 1\n"),
	 "p.yaml:1:10: error: anchors (`&name`) are not known in a policy: write the value out\n"},
	{"anchor of a list", T(V "watch: &w []\n"),
	 "p.yaml:2:8: error: anchors (`&name`) are not known in a policy: write the value out\n"},
	{"anchor of a map", T(V "settings: &s {}\n"),
	 "p.yaml:2:11: error: anchors (`&name`) are not known in a policy: write the value out\n"},
	{"alias", T(V "watch: *w\n"),
	 "p.yaml:2:8: error: aliases (`*name`) are not known in a policy; a pattern that begins "
	 "with `*` needs quotes\n"},
	{"tag", T("version: !!int 1\n"),
	 "p.yaml:1:10: error: tags (`!name`) are not known in a policy; a pattern that begins with "
	 "`!` needs quotes\n"},
	{"tag of a list", T(V "watch: !x []\n"),
	 "p.yaml:2:8: error: tags (`!name`) are not known in a policy\n"},
	{"key that is a list", T("? [a]\n: b\n"), "p.yaml:1:3: error: a key must be a word\n"},
	{"too deep", T("[[[[[[[[[[[[[[[[[[[["),
	 "p.yaml:1:17: error: nested deeper than 16 levels\n"},
};

static const struct wrong structure[] = {
	{"a list", T("- x\n"),
	 "p.yaml:1:1: error: a policy must be a map of keys and values, not a list\n"},
	{"a word", T("x\n"),
	 "p.yaml:1:1: error: a policy must be a map of keys and values, not a single value\n"},
	{"null", T("~\n"),
	 "p.yaml:1:1: error: a policy has no value: a map of keys and values is expected\n"},
	{"no version", T("watch: []\n"), "p.yaml:1:1: error: a policy needs the key 'version'\n"},
	{"version to come", T("version: 2\n"),
	 "p.yaml:1:10: error: version '2' is not known: this keytrail reads version 1\n"},
	{"version in quotes", T("version: '1'\n"),
	 "p.yaml:1:10: error: version '1' is not known: this keytrail reads version 1\n"},
	{"version without value", T("version:\n"),
	 "p.yaml:1:9: error: version has no value: a single value is expected\n"},
	{"mistyped key", T(V "wacth: []\n"),
	 "p.yaml:2:1: error: a policy has no key 'wacth': did you mean 'watch'?\n"},
	{"key in capitals", T(V "Watch: []\n"),
	 "p.yaml:2:1: error: a policy has no key 'Watch': did you mean 'watch'?\n"},
	{"unknown key", T(V "rules: []\n"), "p.yaml:2:1: error: a policy has no key 'rules'\n"},
	{"key with a NUL", T(V "\"watch\\0\": []\n"),
	 "p.yaml:2:1: error: a policy has no key of this name: did you mean 'watch'?\n"},
	{"key with a newline", T(V "\"a\\nb\": []\n"),
	 "p.yaml:2:1: error: a policy has no key of this name\n"},
	{"key that is no word", T(V "c2VjcmV0/Cg==: []\n"),
	 "p.yaml:2:1: error: a policy has no key of this name\n"},
	{"key that is longer than words are", T(V "abcdefghijklmnopqrstuvwxy: []\n"),
	 "p.yaml:2:1: error: a policy has no key of this name\n"},
	{"version that is no word", T("version: aGFsbG8=\n"),
	 "p.yaml:1:10: error: version is not known: this keytrail reads version 1\n"},
	{"no version, and keys of something else",
	 T("kty: RSA\nd: MNtC9\ninclude: [~/x, secret]\n"),
	 "p.yaml:1:1: error: a policy needs the key 'version'\n"},
	{"another version, and keys of something else",
	 T("version: \"3.8\"\nAKIAQ7ZPL2M4XN8RTB5W: x\ninclude: [AKIAQ7ZPL2M4XN8RTB5W]\n"),
	 "p.yaml:1:10: error: version '3.8' is not known: this keytrail reads version 1\n"},
	{"version that is a map, and keys of something else",
	 T("version: {a: b}\nAKIAQ7ZPL2M4XN8RTB5W: x\n"),
	 "p.yaml:1:10: error: version must be a single value, not a map of keys and values\n"},
	{"key of words with a NUL", T(V "\"abc\\0def\": []\n"),
	 "p.yaml:2:1: error: a policy has no key of this name\n"},
	{"key twice", T(V "watch: []\n" V),
	 "p.yaml:3:1: error: 'version' stands twice, first at 1:1\n"},
	{"settings as list", T(V "settings: []\n"),
	 "p.yaml:2:11: error: settings must be a map of keys and values, not a list\n"},
	{"watch as map", T(V "watch: {}\n"),
	 "p.yaml:2:8: error: watch must be a list, not a map of keys and values\n"},
	{"watch without value", T(V "watch:\n"),
	 "p.yaml:2:7: error: watch has no value: a list is expected\n"},
	{"entry as word", T(W "- x\n"),
	 "p.yaml:3:3: error: a watch entry must be a map of keys and values, not a single value\n"},
	{"entry as list", T(W "- [x]\n"),
	 "p.yaml:3:3: error: a watch entry must be a map of keys and values, not a list\n"},
	{"entry without anything", T(W "- {}\n"),
	 "p.yaml:3:3: error: a watch entry needs the key 'name'\n"
	 "p.yaml:3:3: error: a watch entry needs the key 'class'\n"
	 "p.yaml:3:3: error: a watch entry needs the key 'paths'\n"},
	{"a device with paths", T(W "- {name: a, class: device, paths: [/x]}\n"),
	 "p.yaml:3:3: error: a watch entry of class 'device' has no paths: it stands for the block "
	 "devices under the file systems of all other entries\n"},
	{"a device with exclusions", T(W "- {name: a, class: device, exclude: [x]}\n"),
	 "p.yaml:3:3: error: a watch entry of class 'device' has no paths: it stands for the block "
	 "devices under the file systems of all other entries\n"},
	{"devices twice", T(W "- {name: a, class: device}\n- {name: b, class: device}\n"),
	 "p.yaml:4:3: error: a second watch entry of class 'device': the first is p.yaml:3:3\n"},
	{"a key with a verdict", T(W "- {name: a, class: key, paths: [/x], verdict: {}}\n"),
	 "p.yaml:3:3: error: a watch entry of class 'key' has no verdict: only dumps are "
	 "scanned\n"},
	{"an unknown verdict",
	 T(W "- {name: a, class: dump, paths: [/x], verdict: {keys: high, clean: recorded}}\n"),
	 "p.yaml:3:49: error: verdict has no key 'keys': did you mean 'key'?\n"
	 "p.yaml:3:68: error: clean 'recorded' is not known: did you mean 'record'? (info, low, "
	 "medium, high, critical, record)\n"},
	{"memory with paths", T(W "- {name: a, class: process-memory, paths: [/x]}\n"),
	 "p.yaml:3:3: error: a watch entry of class 'process-memory' has no paths: it is about no "
	 "files\n"},
	{"copies with paths", T(W "- {name: a, class: key-copy, paths: [/x]}\n"),
	 "p.yaml:3:3: error: a watch entry of class 'key-copy' has no paths: it is about files that "
	 "are found by what they are\n"},
	{"canary that somebody may read",
	 T(W "- {name: a, class: canary-key, paths: [/x], allow: [{exe: /usr/bin/cat}]}\n"),
	 "p.yaml:3:59: error: watch entry 'a' is of a canary key, which nobody is allowed: what "
	 "reads every file (a backup) is named by `expect`\n"},
	{"canary that an exception allows",
	 T(W "- {name: a, class: canary-key, paths: [/x]}\n"
	     "exceptions:\n"
	     "- {name: e, watch: [a], exe: /usr/bin/cat, reason: x, "
	     "until: 2400-01-31}\n"),
	 "p.yaml:5:30: error: watch entry 'a' is of a canary key, which nobody is allowed: what "
	 "reads every file (a backup) is named by `expect`\n"},
	{"canary that is only recorded",
	 T(W "- {name: a, class: canary-key, paths: [/x]}\n"
	     "override:\n- {name: a, mode: record}\n"),
	 "p.yaml:5:19: error: watch entry 'a' is of a canary key: who touches it is told, not only "
	 "recorded\n"},
	{"memory twice",
	 T(W "- {name: a, class: system-memory}\n- {name: b, class: system-memory}\n"),
	 "p.yaml:4:3: error: a second watch entry of class 'system-memory': the first is "
	 "p.yaml:3:3\n"},
	{"all is told in one go", T(W "- {nam: a, class: kee, paths: [x, /y/]}\n- {}\n"),
	 "p.yaml:3:4: error: a watch entry has no key 'nam': did you mean 'name'?\n"
	 "p.yaml:3:19: error: class 'kee' is not known: did you mean 'key'? (ssh-user-key, "
	 "ssh-host-key, tls-key, gpg-key, key, credential, dump, device, agent-socket, "
	 "process-memory, system-memory, found-key, canary-key, key-copy)\n"
	 "p.yaml:3:32: error: path 'x': does not begin with `/` or `~/`\n"
	 "p.yaml:3:35: error: path '/y/': ends with a slash: append `**` for every file below\n"
	 "p.yaml:3:3: error: a watch entry needs the key 'name'\n"
	 "p.yaml:4:3: error: a watch entry needs the key 'name'\n"
	 "p.yaml:4:3: error: a watch entry needs the key 'class'\n"
	 "p.yaml:4:3: error: a watch entry needs the key 'paths'\n"},
};

static const struct wrong settings[] = {
	{"unknown", SET("cmd: full"), "p.yaml:2:12: error: settings has no key 'cmd'\n"},
	{"a scan of nothing", SET("scan: on"),
	 "p.yaml:2:18: error: scan must be a map of keys and values, not a single value\n"},
	{"scans without bounds", SET("scan: {children: 0, queue: 100000, needles: x}"),
	 "p.yaml:2:29: error: children must be a whole number from 1 to 16\n"
	 "p.yaml:2:39: error: queue must be a whole number from 1 to 1024\n"
	 "p.yaml:2:56: error: needles 'x' is not an absolute path\n"},
	{"a log without bounds", SET("journal: {keep_days: -1, max_size: 3}"),
	 "p.yaml:2:33: error: keep_days must be a whole number from 0 to 36500\n"
	 "p.yaml:2:37: error: journal has no key 'max_size': did you mean 'max_size_mib'?\n"},
	{"mistyped", SET("alert_brust: 3"),
	 "p.yaml:2:12: error: settings has no key 'alert_brust': did you mean 'alert_burst'?\n"},
	{"cmdline", SET("cmdline: redact"),
	 "p.yaml:2:21: error: cmdline 'redact' is not known: did you mean 'redacted'? (none, "
	 "redacted, full)\n"},
	{"sd_id with a space", SET("sd_id: a b@1"),
	 "p.yaml:2:19: error: sd_id 'a b@1' has a character that RFC 5424 forbids in an SD-ID\n"},
	{"sd_id with a bracket", SET("sd_id: 'a]@1'"),
	 "p.yaml:2:19: error: sd_id 'a]@1' has a character that RFC 5424 forbids in an SD-ID\n"},
	{"sd_id without number", SET("sd_id: keytrail"),
	 "p.yaml:2:19: error: sd_id 'keytrail' must be NAME@NUMBER, with a private enterprise "
	 "number (RFC 5424)\n"},
	{"sd_id without name", SET("sd_id: '@1'"),
	 "p.yaml:2:19: error: sd_id '@1' must be NAME@NUMBER, with a private enterprise number "
	 "(RFC 5424)\n"},
	{"sd_id with a word", SET("sd_id: a@b"),
	 "p.yaml:2:19: error: sd_id 'a@b' must end in a private enterprise number after the @ (RFC "
	 "5424)\n"},
	{"sd_id with a zero", SET("sd_id: a@01"),
	 "p.yaml:2:19: error: sd_id 'a@01' must end in a private enterprise number after the @ "
	 "(RFC 5424)\n"},
	{"sd_id with a number that cannot be", SET("sd_id: a@4294967296"),
	 "p.yaml:2:19: error: sd_id 'a@4294967296' must end in a private enterprise number after "
	 "the @ (RFC 5424)\n"},
	{"sd_id too long", SET("sd_id: abcdefghijklmnopqrstuvwxyz0@32473"),
	 "p.yaml:2:19: error: sd_id 'abcdefghijklmnopqrstuvwxyz0@32473' is longer than the 32 "
	 "characters of an SD-ID (RFC 5424)\n"},
	{"socket, relative", SET("syslog_socket: x"),
	 "p.yaml:2:27: error: syslog_socket 'x' is not an absolute path\n"},
	{"socket, empty", SET("syslog_socket: ''"),
	 "p.yaml:2:27: error: syslog_socket '' is not an absolute path\n"},
	{"socket, root", SET("syslog_socket: /"),
	 "p.yaml:2:27: error: syslog_socket '/' has an empty component\n"},
	{"fallback, dots", SET("syslog_fallback: /a/../b"),
	 "p.yaml:2:29: error: syslog_fallback '/a/../b' has a component `.` or `..`, which no path "
	 "that the kernel tells has\n"},
	{"socket too long for an address",
	 SET("syslog_socket: /abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrs"
	     "tuvwxyzabcdefghijklmnopqrstuvwxyzabc"),
	 "p.yaml:2:27: error: syslog_socket is longer than 107 bytes\n"},
	{"jsonl, slash", SET("jsonl: /a/"), "p.yaml:2:19: error: jsonl '/a/' ends with a slash\n"},
	{"jsonl, two slashes", SET("jsonl: /a//b"),
	 "p.yaml:2:19: error: jsonl '/a//b' has an empty component\n"},
	{"jsonl as list", SET("jsonl: []"),
	 "p.yaml:2:19: error: jsonl must be a single value, not a list\n"},
	{"jsonl with a NUL", SET("jsonl: \"/a\\0\""), "p.yaml:2:19: error: jsonl has a NUL byte\n"},
	{"burst too low", SET("alert_burst: 0"),
	 "p.yaml:2:25: error: alert_burst must be a whole number from 1 to 1000\n"},
	{"burst too high", SET("alert_burst: 1001"),
	 "p.yaml:2:25: error: alert_burst must be a whole number from 1 to 1000\n"},
	{"burst, sign", SET("alert_burst: +5"),
	 "p.yaml:2:25: error: alert_burst must be a whole number from 1 to 1000\n"},
	{"burst, octal", SET("alert_burst: 010"),
	 "p.yaml:2:25: error: alert_burst must be a whole number from 1 to 1000\n"},
	{"burst, quotes", SET("alert_burst: '5'"),
	 "p.yaml:2:25: error: alert_burst must be a whole number from 1 to 1000\n"},
	{"window, beyond 64 bits", SET("alert_window_s: 18446744073709551617"),
	 "p.yaml:2:28: error: alert_window_s must be a whole number from 1 to 86400\n"},
	{"ring, no power of two", SET("ring_critical_kib: 100"),
	 "p.yaml:2:31: error: ring_critical_kib must be a power of two (KiB)\n"},
	{"ring, too small", SET("ring_bulk_kib: 32"),
	 "p.yaml:2:27: error: ring_bulk_kib must be a whole number from 64 to 1048576\n"},
	{"marks", SET("marks_max: many"),
	 "p.yaml:2:23: error: marks_max must be a whole number from 1024 to 16777216\n"},
};

static const struct wrong watches[] = {
	{"name with a space", T(W "- {name: a b, class: key, paths: [/x]}\n"),
	 "p.yaml:3:10: error: name 'a b' is not 1 to 64 of a-z, A-Z, 0-9, '.', '_', '-', a letter "
	 "or digit first\n"},
	{"empty name", T(W "- {name: '', class: key, paths: [/x]}\n"),
	 "p.yaml:3:10: error: name '' is not 1 to 64 of a-z, A-Z, 0-9, '.', '_', '-', a letter or "
	 "digit first\n"},
	{"name that begins with a dash", T(W "- {name: -a, class: key, paths: [/x]}\n"),
	 "p.yaml:3:10: error: name '-a' is not 1 to 64 of a-z, A-Z, 0-9, '.', '_', '-', a letter "
	 "or digit first\n"},
	{"name twice",
	 T(W "- {name: a, class: key, paths: [/x]}\n"
	     "- {name: a, class: key, paths: [/y]}\n"),
	 "p.yaml:4:10: error: watch entry 'a' is there already: p.yaml:3:3\n"},
	{"class", T(W "- {name: a, class: ssh-userkey, paths: [/x]}\n"),
	 "p.yaml:3:20: error: class 'ssh-userkey' is not known: did you mean 'ssh-user-key'? "
	 "(ssh-user-key, ssh-host-key, tls-key, gpg-key, key, credential, dump, device, agent-socket, "
	 "process-memory, system-memory, found-key, canary-key, key-copy)\n"},
	{"severity", T(W "- {name: a, class: key, severity: 7, paths: [/x]}\n"),
	 "p.yaml:3:35: error: severity '7' is not known (info, low, medium, high, critical)\n"},
	{"paths as word", T(W "- {name: a, class: key, paths: /x}\n"),
	 "p.yaml:3:32: error: paths must be a list, not a single value\n"},
	{"no paths", T(W "- {name: a, class: key, paths: []}\n"),
	 "p.yaml:3:32: error: paths is an empty list: the entry would watch nothing\n"},
	{"exclude without value", T(W "- name: a\n  class: key\n  paths: [/x]\n  exclude:\n"),
	 "p.yaml:6:11: error: exclude has no value: a list is expected\n"},
	{"allow as word", T(W "- {name: a, class: key, paths: [/x], allow: /usr/bin/ssh}\n"),
	 "p.yaml:3:45: error: allow must be a list, not a single value\n"},
	{"path without exe", T(W "- {name: a, class: key, paths: [/x], allow: [/usr/bin/ssh]}\n"),
	 "p.yaml:3:46: error: an allow rule is a map: write `exe: /usr/bin/ssh`\n"},
	{"empty rule", T(W "- {name: a, class: key, paths: [/x], allow: [{}]}\n"),
	 "p.yaml:3:46: error: the rule names nobody: it needs `exe`, `package`, `digest`, `verity`, `unit`, `container`, `image`, `user` or `zone`\n"},
	{"verity of another kind",
	 T(W "- {name: a, class: key, paths: [/x], allow: [{exe: /y, verity: 'sha256:00'}]}\n"),
	 "p.yaml:3:64: error: verity 'sha256:00' is not 'sha256:' and 64 or 'sha512:' and 128 digits of 0-9, a-f, as `fsverity measure` prints them\n"},
	{"unknown key of a rule",
	 T(W "- {name: a, class: key, paths: [/x], allow: [{exe: /y, usr: z}]}\n"),
	 "p.yaml:3:56: error: an allow rule has no key 'usr': did you mean 'user'?\n"},
};

static const struct wrong patterns[] = {
	{"relative", PATH("a/b"), AT_PATH "'a/b': does not begin with `/` or `~/`\n"},
	{"empty", PATH("''"), AT_PATH "'': is empty\n"},
	{"root", PATH("/"), AT_PATH "'/': ends with a slash: append `**` for every file below\n"},
	{"home", PATH("~/"), AT_PATH "'~/': ends with a slash: append `**` for every file below\n"},
	{"directory", PATH("/a/"),
	 AT_PATH "'/a/': ends with a slash: append `**` for every file below\n"},
	{"tilde", PATH("'~'"),
	 AT_PATH "'~': begins with `~` but not with `~/`: `~/` stands for every home, one user's "
		 "home is written as a path\n"},
	{"another's home", PATH("~ada/x"),
	 AT_PATH "'~ada/x': begins with `~` but not with `~/`: `~/` stands for every home, one "
		 "user's home is written as a path\n"},
	{"two slashes", PATH("/a//b"),
	 AT_PATH "'/a//b': has an empty component (`//`): no path that the kernel tells has one\n"},
	{"up", PATH("/a/../b"),
	 AT_PATH "'/a/../b': has the component `..`: no path that the kernel tells has one\n"},
	{"dot", PATH("/a/."),
	 AT_PATH "'/a/.': has the component `.`: no path that the kernel tells has one\n"},
	{"NUL", PATH("\"/a\\0\""), AT_PATH "'/a': has a NUL byte\n"},
	{"deep in a component", PATH("/a**b"),
	 AT_PATH "'/a**b': `**` must be a component of its own\n"},
	{"three stars", PATH("/***"), AT_PATH "'/***': `**` must be a component of its own\n"},
	{"open set", PATH("'/[a'"), AT_PATH "'/[a': `[` without `]`\n"},
	{"open set with an escape", PATH("'/[a\\'"), AT_PATH "'/[a\\\\': `[` without `]`\n"},
	{"set over a slash", PATH("'/[a/b]'"), AT_PATH "'/[a/b]': `[` without `]`\n"},
	{"backwards", PATH("'/[z-a]'"), AT_PATH "'/[z-a]': a range in `[...]` runs backwards\n"},
	{"class", PATH("'/[[:alpha:]]'"),
	 AT_PATH "'/[[:alpha:]]': character classes such as `[:alpha:]` are not known: write "
		 "ranges\n"},
	{"caret", PATH("'/[^a]'"),
	 AT_PATH "'/[^a]': `[^` is not known: write `[!` to negate a set\n"},
	{"lone backslash", PATH("'/a\\'"), AT_PATH "'/a\\\\': a backslash has nothing to escape\n"},
	{"a newline stays on its line", PATH("\"a\\nb\""),
	 AT_PATH "'a\\x0ab': does not begin with `/` or `~/`\n"},
	{"null", PATH("~"),
	 "p.yaml:3:33: error: a path has no value: a single value is expected\n"},
	{"list", PATH("[/a]"), "p.yaml:3:33: error: a path must be a single value, not a list\n"},
	{"exclusion, relative", EXCL("a/b"),
	 AT_EXCL "'a/b': has a slash but does not begin with `/` or `~/`\n"},
	{"exclusion, empty", EXCL("''"), AT_EXCL "'': is empty\n"},
	{"exclusion, deep", EXCL("'**'"), AT_EXCL "'**': is `**`, which needs a path around it\n"},
	{"exclusion, dots", EXCL("'..'"),
	 AT_EXCL "'..': has the component `..`: no path that the kernel tells has one\n"},
	{"exe, relative", EXE("ssh"), AT_EXE "'ssh' is not an absolute path\n"},
	{"exe, home", EXE("~/bin/x"), AT_EXE "'~/bin/x' is not an absolute path\n"},
	{"exe, star", EXE("/usr/bin/*"),
	 AT_EXE "'/usr/bin/*' has a wildcard: an allowed program is named exactly\n"},
	{"exe, directory", EXE("/usr/bin/"), AT_EXE "'/usr/bin/' ends with a slash\n"},
	{"exe, up", EXE("/usr/../bin/x"),
	 AT_EXE "'/usr/../bin/x' has a component `.` or `..`, which no path that the kernel tells "
		"has\n"},
	{"exe, NUL", EXE("\"/a\\0b\""), AT_EXE "has a NUL byte\n"},
};

static void check(const struct wrong *w, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		struct policy *policy = (void *)&policy;
		struct diag_list diags = {0};
		_cleanup_free_ char *told = NULL;
		size_t size;
		FILE *f = open_memstream(&told, &size);
		int err = policy_parse("p.yaml", w[i].text, w[i].len, &diags, &policy);

		diag_print(&diags, f);
		fclose(f);
		if (strcmp(told, w[i].told))
			fail_msg("%s:\n  expected %s  but told %s", w[i].what, w[i].told, told);
		assert_int_equal(err, -EINVAL);
		assert_ptr_equal(policy, &policy);
		assert_int_equal(diags.nr, diags.errors);
		diag_list_fini(&diags);
	}
}

static void syntax_errors(void **state)
{
	check(syntax, ARRAY_SIZE(syntax));
}

static void errors_of_structure(void **state)
{
	check(structure, ARRAY_SIZE(structure));
}

static void errors_in_settings(void **state)
{
	check(settings, ARRAY_SIZE(settings));
}

static void errors_in_watch_entries(void **state)
{
	check(watches, ARRAY_SIZE(watches));
}

static void errors_in_patterns(void **state)
{
	check(patterns, ARRAY_SIZE(patterns));
}

/* Text before, nr times an item in which # is its number, text after. told NULL: all is well. */
static void expect_bound(const char *before, const char *item, unsigned nr, const char *after,
			 const char *told)
{
	struct policy *policy = NULL;
	struct diag_list diags = {0};
	_cleanup_free_ char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	fputs(before, f);
	for (unsigned i = 0; i < nr; i++) {
		for (const char *p = item; *p; p++) {
			if (*p == '#')
				fprintf(f, "%u", i);
			else
				fputc(*p, f);
		}
	}
	fputs(after, f);
	fclose(f);
	assert_int_equal(policy_parse("p.yaml", text, size, &diags, &policy), told ? -EINVAL : 0);
	if (told)
		assert_string_equal(diags.items[0].text, told);
	policy_free(policy);
	diag_list_fini(&diags);
}

static void what_grows_is_bounded(void **state)
{
	static const char paths[] = W "- {name: a, class: key, paths: [/x";
	static const char exclude[] = W "- {name: a, class: key, paths: [/x], exclude: [x";
	static const char path[] = W "- {name: a, class: key, paths: [";
	static const char name[] = W "- {class: key, paths: [/x], name: ";

	expect_bound(paths, ", /x#", 1023, "]}\n", NULL);
	expect_bound(paths, ", /x#", 1024, "]}\n", "paths has more than 1024 patterns");
	expect_bound(exclude, ", x#", 255, "]}\n", NULL);
	expect_bound(exclude, ", x#", 256, "]}\n", "exclude has more than 256 patterns");
	expect_bound(W, "- {name: w#, class: key, paths: [/x#]}\n", 4096, "", NULL);
	expect_bound(W, "- {name: w#, class: key, paths: [/x#]}\n", 4097, "",
		     "more than 4096 watch entries");
	expect_bound(V "watch: [", "#,", 200001, "]", "more than 200000 values in one file");
	expect_bound(path, "/d", 64, "]}\n", NULL);
	expect_bound(
		path, "/d", 65, "]}\n",
		"path '/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d"
		"/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d': has more than 64 "
		"components");
	expect_bound(name, "n", 64, "}\n", NULL);
	expect_bound(
		name, "n", 65, "}\n",
		"name 'nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn' is not 1 "
		"to 64 of a-z, A-Z, 0-9, '.', '_', '-', a letter or digit first");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(syntax_errors),      cmocka_unit_test(errors_of_structure),
		cmocka_unit_test(errors_in_settings), cmocka_unit_test(errors_in_watch_entries),
		cmocka_unit_test(errors_in_patterns), cmocka_unit_test(what_grows_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
