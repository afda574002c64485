// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * /proc/PID/smaps, and what of it a core has: vma_dump_size() in the kernel's fs/coredump.c,
 * flags by show_smap_vma_flags() in fs/proc/task_mmu.c.
 */
#include "doctor/smaps.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"

#define LINE_MAX_ 512

/* A line into `out`, cut; false at the end. */
static bool line_next(struct smaps *s, char out[LINE_MAX_], size_t *out_len)
{
	const char *newline;
	size_t len, n;

	if (!s->len)
		return false;
	newline = memchr(s->p, '\n', s->len);
	len = newline ? (size_t)(newline - s->p) : s->len;
	n = len < LINE_MAX_ - 1 ? len : LINE_MAX_ - 1;
	memcpy(out, s->p, n);
	out[n] = '\0';
	*out_len = n;
	len += newline != NULL;
	s->p += len;
	s->len -= len;
	return true;
}

/* The kernel writes addresses in lower case; a label ("Rss:", "AnonHugePages:") begins in upper. */
static bool hexadecimal(const char *p)
{
	return (*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'f');
}

/* "start-end rwxp offset dev inode   name" */
static bool parse_head(const char *line, size_t len, struct mapping *out)
{
	struct mapping m = {0};
	const char *at;
	char *end;

	if (!hexadecimal(line))
		return false;
	m.start = strtoull(line, &end, 16);
	if (*end != '-' || !hexadecimal(end + 1))
		return false;
	m.end = strtoull(end + 1, &end, 16);
	if (*end != ' ' || m.end <= m.start || strnlen(end, 6) < 6 || end[5] != ' ')
		return false;
	memcpy(m.perms, end + 1, 4);
	for (unsigned i = 0; i < 4; i++)
		if (!strchr("rwxps-", m.perms[i]))
			return false;
	if (m.perms[3] == 's')
		m.flags |= MAPPING_SHARED;
	at = end + 6;
	for (unsigned i = 0; i < 2 && at; i++) { /* offset, device */
		at = strchr(at, ' ');
		at = at ? at + strspn(at, " ") : NULL;
	}
	if (!at)
		return false;
	m.inode = strtoull(at, &end, 10);
	at = end + strspn(end, " ");
	escape_bytes(at, len - (size_t)(at - line), m.name, sizeof(m.name), NULL);
	len = strlen(at);
	if (len > 10 && !strcmp(at + len - 10, " (deleted)"))
		m.flags |= MAPPING_NO_LINK;
	*out = m;
	return true;
}

static const struct {
	char letters[3];
	unsigned flag;
} vm_flags[] = {
	{"dd", MAPPING_DONTDUMP},   {"lo", MAPPING_LOCKED}, {"dc", MAPPING_DONTCOPY},
	{"wf", MAPPING_WIPEONFORK}, {"io", MAPPING_IO},	    {"ht", MAPPING_HUGETLB},
};

static void parse_flags(const char *text, struct mapping *m)
{
	m->flags |= MAPPING_FLAGS_KNOWN;
	for (const char *p = text + strspn(text, " "); *p; p += strspn(p, " ")) {
		size_t len = strcspn(p, " ");

		for (size_t i = 0; i < sizeof(vm_flags) / sizeof(*vm_flags); i++)
			if (len == 2 && !memcmp(p, vm_flags[i].letters, 2))
				m->flags |= vm_flags[i].flag;
		p += len;
	}
}

static void parse_value(const char *line, struct mapping *m)
{
	if (!strncmp(line, "Anonymous:", 10))
		m->anonymous_kib = strtoull(line + 10, NULL, 10);
	else if (!strncmp(line, "Swap:", 5))
		m->swap_kib = strtoull(line + 5, NULL, 10);
	else if (!strncmp(line, "Locked:", 7))
		m->locked_kib = strtoull(line + 7, NULL, 10);
	else if (!strncmp(line, "VmFlags:", 8))
		parse_flags(line + 8, m);
}

bool smaps_next(struct smaps *smaps, struct mapping *out_mapping)
{
	char line[LINE_MAX_];
	struct mapping m;
	size_t len;

	do {
		if (!line_next(smaps, line, &len))
			return false;
	} while (!parse_head(line, len, &m));
	for (;;) {
		struct smaps before = *smaps;
		struct mapping next;

		if (!line_next(smaps, line, &len))
			break;
		if (parse_head(line, len, &next)) {
			*smaps = before;
			break;
		}
		parse_value(line, &m);
	}
	*out_mapping = m;
	return true;
}

void mapping_flags_text(const struct mapping *mapping, char out[24])
{
	size_t at = 0;

	out[0] = '\0';
	for (size_t i = 0; i < sizeof(vm_flags) / sizeof(*vm_flags); i++)
		if (mapping->flags & vm_flags[i].flag)
			at += (size_t)snprintf(out + at, 24 - at, "%s%s", at ? "," : "",
					       vm_flags[i].letters);
}

enum core_place mapping_core_place(const struct mapping *m)
{
	bool shared = m->flags & MAPPING_SHARED;

	if (m->flags & MAPPING_DONTDUMP)
		return CORE_DONTDUMP;
	if (m->flags & MAPPING_HUGETLB)
		return shared ? CORE_HUGE_SHARED : CORE_HUGE_PRIVATE;
	if (m->flags & MAPPING_IO)
		return CORE_IO;
	if (shared)
		return !m->inode || m->flags & MAPPING_NO_LINK ? CORE_ANON_SHARED
							       : CORE_FILE_SHARED;
	return !m->inode || m->anonymous_kib ? CORE_ANON_PRIVATE : CORE_FILE_PRIVATE;
}

bool mapping_in_core(const struct mapping *mapping, unsigned filter)
{
	enum core_place place = mapping_core_place(mapping);

	if (place >= CORE_DONTDUMP)
		return false;
	if (filter & 1u << place)
		return true;
	/* A file's page that was written to, left out as such, may be let in as the file's. */
	return place == CORE_ANON_PRIVATE && mapping->inode && filter & 1u << CORE_FILE_PRIVATE;
}

const char *core_place_str(enum core_place place)
{
	static const char *const words[CORE_PLACE_NR] = {
		[CORE_ANON_PRIVATE] = "private-anonymous",
		[CORE_ANON_SHARED] = "shared-anonymous",
		[CORE_FILE_PRIVATE] = "private-file",
		[CORE_FILE_SHARED] = "shared-file",
		[CORE_ELF_HEADER] = "elf-header",
		[CORE_HUGE_PRIVATE] = "private-huge",
		[CORE_HUGE_SHARED] = "shared-huge",
		[CORE_DAX_PRIVATE] = "private-dax",
		[CORE_DAX_SHARED] = "shared-dax",
		[CORE_DONTDUMP] = "dontdump",
		[CORE_IO] = "device",
	};

	return place < CORE_PLACE_NR ? words[place] : "?";
}
