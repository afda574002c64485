// SPDX-License-Identifier: GPL-2.0-or-later
/* Magic numbers of dumps. */
#include "watch/dumptype.h"

#include <stdint.h>
#include <string.h>

#include "base/cleanup.h"

struct magic {
	enum dump_kind kind;
	uint8_t len;
	char bytes[17];
};

static const struct magic magics[] = {
	/* minidumpapiset.h: signature, then the low half of the version. */
	{DUMPKIND_MINIDUMP, 6, "MDMP\x93\xa7"},
	{DUMPKIND_WINDOWS, 8, "PAGEDUMP"},
	{DUMPKIND_WINDOWS, 8, "PAGEDU64"},
	/* makedumpfile's diskdump_mod.h, and flattened output as it goes over ssh. */
	{DUMPKIND_KDUMP, 8, "KDUMP   "},
	{DUMPKIND_KDUMP, 8, "DISKDUMP"},
	{DUMPKIND_KDUMP, 12, "makedumpfile"},
	/* HotSpot's heapDumper.cpp: "JAVA PROFILE 1.0.2"; Android has 1.0.3. */
	{DUMPKIND_JAVA, 14, "JAVA PROFILE 1"},
	/* 0x4C694D45 and 0x4C4D5641, little endian, then a version. */
	{DUMPKIND_LIME, 8, "EMiL\x01\0\0\0"},
	{DUMPKIND_AVML, 8, "AVML\x02\0\0\0"},
	/* The frames of zstd, lz4, xz and gzip. */
	{DUMPKIND_COMPRESSED, 4, "\x28\xb5\x2f\xfd"},
	{DUMPKIND_COMPRESSED, 4, "\x04\x22\x4d\x18"},
	{DUMPKIND_COMPRESSED, 6, "\xfd\x37\x7a\x58\x5a\0"},
	{DUMPKIND_COMPRESSED, 3, "\x1f\x8b\x08"},
	/* APPNOTE.TXT, 4.3.7: of a member's header. */
	{DUMPKIND_ARCHIVE, 4, "PK\x03\x04"},
};

/* tar.h of POSIX: TMAGIC in the first member's header, with a NUL behind it or, of GNU, a space. */
static bool is_tar(const char *p, size_t len)
{
	return len >= 263 && !memcmp(p + 257, "ustar", 5) && (p[262] == '\0' || p[262] == ' ');
}

/* e_type is ET_CORE, in the byte order that the file itself names. */
static bool is_elf_core(const uint8_t *p, size_t len)
{
	if (len < 20 || memcmp(p, "\177ELF", 4) != 0 || (p[4] != 1 && p[4] != 2))
		return false;
	return (p[5] == 1 && p[16] == 4 && p[17] == 0) || (p[5] == 2 && p[16] == 0 && p[17] == 4);
}

/* What helpers write beside a dump: logs and lists. Memory and what is encrypted is never this. */
static bool is_text(const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((p[i] < 0x20 && p[i] != '\n' && p[i] != '\t' && p[i] != '\r') || p[i] == 0x7f)
			return false;
	return len > 0;
}

enum dump_kind dump_kind_of(const void *bytes, size_t len)
{
	if (is_elf_core(bytes, len))
		return DUMPKIND_ELF_CORE;
	for (size_t i = 0; i < ARRAY_SIZE(magics); i++)
		if (len >= magics[i].len && !memcmp(bytes, magics[i].bytes, magics[i].len))
			return magics[i].kind;
	if (is_tar(bytes, len))
		return DUMPKIND_ARCHIVE;
	return is_text(bytes, len) ? DUMPKIND_TEXT : DUMPKIND_NONE;
}

bool dump_kind_is_dump(enum dump_kind kind)
{
	switch (kind) {
	case DUMPKIND_ELF_CORE:
	case DUMPKIND_MINIDUMP:
	case DUMPKIND_WINDOWS:
	case DUMPKIND_KDUMP:
	case DUMPKIND_JAVA:
	case DUMPKIND_LIME:
	case DUMPKIND_AVML:
		return true;
	case DUMPKIND_NONE:
	case DUMPKIND_COMPRESSED:
	case DUMPKIND_TEXT:
	case DUMPKIND_ARCHIVE:
	case DUMPKIND_NR:
		break;
	}
	return false;
}
