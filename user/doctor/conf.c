// SPDX-License-Identifier: GPL-2.0-or-later
/* The small languages of configurations that doctor looks at. */
#include "doctor/conf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"

struct piece {
	const char *p;
	size_t len;
};

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static struct piece trim(struct piece s)
{
	while (s.len && blank(s.p[0])) {
		s.p++;
		s.len--;
	}
	while (s.len && blank(s.p[s.len - 1]))
		s.len--;
	return s;
}

/* The next line, trimmed; false at the end. */
static bool next_line(const char **text, struct piece *out)
{
	size_t len = strcspn(*text, "\n");

	if (!**text)
		return false;
	*out = trim((struct piece){*text, len});
	*text += len + ((*text)[len] == '\n');
	return true;
}

/* The first word, taken off. */
static struct piece take_word(struct piece *s)
{
	struct piece word;

	*s = trim(*s);
	word = (struct piece){s->p, 0};
	while (word.len < s->len && !blank(s->p[word.len]))
		word.len++;
	s->p += word.len;
	s->len -= word.len;
	return word;
}

static bool is(struct piece s, const char *text)
{
	return s.len == strlen(text) && !memcmp(s.p, text, s.len);
}

static void give(struct piece s, char *out, size_t size)
{
	escape_bytes(s.p, s.len, out, size, NULL);
}

bool conf_ini(const char *text, const char *section, const char *key, char *out, size_t size)
{
	bool here = !section, found = false, continued = false;
	struct piece line;

	while (next_line(&text, &line)) {
		bool goes_on = line.len && line.p[line.len - 1] == '\\';
		const char *equals;

		if (!line.len || line.p[0] == '#' || line.p[0] == ';')
			continue; /* a comment between continued lines is passed over as well */
		if (continued) { /* of a value: no setting begins here */
			continued = goes_on;
			continue;
		}
		continued = goes_on;
		if (line.p[0] == '[') {
			here = section && line.len == strlen(section) + 2 &&
			       line.p[line.len - 1] == ']' &&
			       !memcmp(line.p + 1, section, line.len - 2);
			continue;
		}
		equals = memchr(line.p, '=', line.len);
		if (!here || !equals ||
		    !is(trim((struct piece){line.p, (size_t)(equals - line.p)}), key))
			continue;
		line.len -= (size_t)(equals + 1 - line.p) + goes_on;
		give(trim((struct piece){equals + 1, line.len}), out, size);
		found = true;
	}
	return found;
}

bool conf_shell(const char *text, const char *key, char *out, size_t size)
{
	size_t len = strlen(key);
	bool found = false;
	struct piece line;

	while (next_line(&text, &line)) {
		struct piece value;

		if (line.len > 7 && !memcmp(line.p, "export ", 7))
			line = trim((struct piece){line.p + 7, line.len - 7});
		if (line.len <= len || memcmp(line.p, key, len) || line.p[len] != '=')
			continue;
		value = (struct piece){line.p + len + 1, line.len - len - 1};
		if (value.len && (value.p[0] == '"' || value.p[0] == '\'')) {
			const char *end = memchr(value.p + 1, value.p[0], value.len - 1);

			value.p++;
			value.len = end ? (size_t)(end - value.p) : value.len - 1;
		} else {
			value = take_word(&value);
		}
		give(value, out, size);
		found = true;
	}
	return found;
}

bool conf_word(const char *text, const char *key, char *out, size_t size)
{
	bool found = false;
	struct piece line;

	while (next_line(&text, &line)) {
		if (!is(take_word(&line), key))
			continue;
		give(trim(line), out, size);
		found = true;
	}
	return found;
}

bool conf_cmdline(const char *text, const char *name, char *out, size_t size)
{
	size_t len = strlen(name);
	bool found = false;
	struct piece line, word;

	if (!next_line(&text, &line))
		return false;
	while (word = take_word(&line), word.len) {
		if (word.len <= len || memcmp(word.p, name, len) || word.p[len] != '=')
			continue;
		give((struct piece){word.p + len + 1, word.len - len - 1}, out, size);
		found = true;
	}
	return found;
}

/* type path mode user group age argument */
bool conf_tmpfiles(const char *text, const char *path, char *out_age, size_t size)
{
	bool found = false;
	struct piece line;

	while (next_line(&text, &line)) {
		struct piece type = take_word(&line), at = take_word(&line), age;

		if (!type.len || !strchr("dDevqQC", type.p[0]))
			continue;
		if (at.len && at.p[at.len - 1] == '/')
			at.len--;
		if (!is(at, path))
			continue;
		for (unsigned i = 0; i < 3; i++)
			take_word(&line);
		age = take_word(&line);
		give(age, out_age, size);
		found = true;
	}
	return found;
}

/* --- logs that leave the host ------------------------------------------------------------------
 */

static bool contains(struct piece s, const char *what)
{
	return memmem(s.p, s.len, what, strlen(what)) != NULL;
}

/* rsyslog: `SELECTOR @[@]host`, or an action of a forwarding module; syslog-ng: a destination. */
static bool sends(struct piece line)
{
	struct piece rest = line, selector = take_word(&rest), target = take_word(&rest);

	if (contains(line, "omfwd") || contains(line, "omrelp") || contains(line, "omkafka") ||
	    contains(line, "omelasticsearch") || contains(line, "omgssapi"))
		return !contains(line, "module(") && !contains(line, "$ModLoad");
	if (selector.len && contains(selector, ".") && target.len > 1 && target.p[0] == '@')
		return true;
	return contains(line, "destination") &&
	       (contains(line, "network(") || contains(line, "tcp(") || contains(line, "udp(") ||
		contains(line, "syslog("));
}

bool conf_syslog_remote(const char *text, char *out, size_t size)
{
	struct piece line;

	while (next_line(&text, &line)) {
		if (!line.len || line.p[0] == '#' || !sends(line))
			continue;
		give(line, out, size);
		return true;
	}
	return false;
}

/* --- mounts ------------------------------------------------------------------------------------
 */

/* Undoes \040 and the like; false if it does not fit. */
static bool unescape(struct piece s, char *out, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++) {
		char c = s.p[i];

		if (n + 1 >= size)
			return false;
		if (c == '\\' && i + 3 < s.len && s.p[i + 1] >= '0' && s.p[i + 1] <= '3' &&
		    s.p[i + 2] >= '0' && s.p[i + 2] <= '7' && s.p[i + 3] >= '0' &&
		    s.p[i + 3] <= '7') {
			c = (char)((s.p[i + 1] - '0') << 6 | (s.p[i + 2] - '0') << 3 |
				   (s.p[i + 3] - '0'));
			i += 3;
		}
		out[n++] = c;
	}
	out[n] = '\0';
	return true;
}

/* "36 35 98:0 /root /mount options [tags] - type source options" */
static bool parse_mount(struct piece line, struct mount *out)
{
	struct piece device, path, word;
	char numbers[32], *end;

	take_word(&line);
	take_word(&line);
	device = take_word(&line);
	take_word(&line);
	path = take_word(&line);
	take_word(&line);
	do
		word = take_word(&line);
	while (word.len && !is(word, "-"));
	if (!word.len || !unescape(path, out->path, sizeof(out->path)) || out->path[0] != '/')
		return false;
	snprintf(numbers, sizeof(numbers), "%.*s", (int)(device.len < 31 ? device.len : 31),
		 device.p);
	out->major = (unsigned)strtoul(numbers, &end, 10);
	if (end == numbers || *end != ':' || end[1] < '0' || end[1] > '9')
		return false;
	out->minor = (unsigned)strtoul(end + 1, NULL, 10);
	give(take_word(&line), out->type, sizeof(out->type));
	give(take_word(&line), out->source, sizeof(out->source));
	return true;
}

static bool is_below(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	return !strcmp(dir, "/") ||
	       (!strncmp(path, dir, len) && (path[len] == '/' || path[len] == '\0'));
}

bool conf_mount_of(const char *mountinfo, const char *path, struct mount *out_mount)
{
	struct mount mount;
	bool found = false;
	struct piece line;

	while (next_line(&mountinfo, &line)) {
		mount = (struct mount){.major = 0};
		if (!parse_mount(line, &mount) || !is_below(path, mount.path))
			continue;
		/* Of two at one place the later one is on top. */
		if (!found || strlen(mount.path) >= strlen(out_mount->path))
			*out_mount = mount;
		found = true;
	}
	return found;
}

bool conf_mount_remote(const char *type)
{
	static const char *const types[] = {"nfs",    "nfs4",	 "cifs",  "smb3",      "smbfs",
					    "9p",     "ceph",	 "afs",	  "glusterfs", "lustre",
					    "ocfs2",  "gfs2",	 "ncpfs", "beegfs",    "virtiofs",
					    "vboxsf", "orangefs"};

	if (!strncmp(type, "fuse.", 5))
		return strcmp(type, "fuse.lxcfs") && strcmp(type, "fuse.gvfsd-fuse");
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (!strcmp(type, types[i]))
			return true;
	return false;
}

/* --- access control lists ----------------------------------------------------------------------
 */

#define ACL_VERSION    2
#define ACL_USER       0x02
#define ACL_GROUP      0x08
#define ACL_MASK       0x10
#define ACL_READ       0x04
#define ACL_ENTRY_SIZE 8

static uint32_t little(const uint8_t *p, unsigned len)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < len; i++)
		value |= (uint32_t)p[i] << 8 * i;
	return value;
}

int conf_acl(const uint8_t *bytes, size_t len, struct acl *out_acl)
{
	struct acl acl = {.nr = 0};
	uint32_t mask = ~0U;

	if (len < 4 || little(bytes, 4) != ACL_VERSION || (len - 4) % ACL_ENTRY_SIZE)
		return -EBADMSG;
	for (size_t at = 4; at < len; at += ACL_ENTRY_SIZE)
		if (little(bytes + at, 2) == ACL_MASK)
			mask = little(bytes + at + 2, 2);
	for (size_t at = 4; at < len; at += ACL_ENTRY_SIZE) {
		uint32_t tag = little(bytes + at, 2), id = little(bytes + at + 4, 4);

		if ((tag != ACL_USER && tag != ACL_GROUP) || id == 0 ||
		    !(little(bytes + at + 2, 2) & mask & ACL_READ))
			continue;
		if (acl.nr < ACL_NAMED_MAX) {
			acl.named[acl.nr].group = tag == ACL_GROUP;
			acl.named[acl.nr].id = id;
		}
		acl.nr++;
	}
	*out_acl = acl;
	return 0;
}
