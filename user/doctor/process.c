// SPDX-License-Identifier: GPL-2.0-or-later
/* What /proc says of a process that bears on its memory getting into a dump. */
#include "doctor/process.h"

#include <ctype.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/escape.h"
#include "proc/cgroup.h"

#define PF_KTHREAD 0x00200000 /* include/linux/sched.h */

/* --- pure ------------------------------------------------------------------------------------- */

/* A number or "unlimited"; NULL if it is neither. */
static const char *limit(const char *p, uint64_t *out)
{
	char *end;

	p += strspn(p, " ");
	if (!strncmp(p, "unlimited", 9)) {
		*out = LIMIT_INFINITY;
		return p + 9;
	}
	if (*p < '0' || *p > '9')
		return NULL;
	*out = strtoull(p, &end, 10);
	return end;
}

int limits_core(const char *text, uint64_t *out_soft, uint64_t *out_hard)
{
	static const char name[] = "Max core file size";
	uint64_t soft, hard;

	for (const char *p = text; *p; p += *p == '\n') {
		if (!strncmp(p, name, sizeof(name) - 1)) {
			p = limit(p + sizeof(name) - 1, &soft);
			if (!p || !limit(p, &hard))
				return -ENODATA;
			*out_soft = soft;
			*out_hard = hard;
			return 0;
		}
		p += strcspn(p, "\n");
	}
	return -ENODATA;
}

/* Tabs stand between the numbers of a field. */
static void give(const char *from, size_t len, char *out, size_t size)
{
	char text[512];

	len = len < sizeof(text) ? len : sizeof(text);
	for (size_t i = 0; i < len; i++)
		text[i] = from[i] == '\t' ? ' ' : from[i];
	escape_bytes(text, len, out, size, NULL);
}

int status_field(const char *text, const char *name, char *out, size_t size)
{
	size_t len = strlen(name);

	for (const char *p = text; *p; p += *p == '\n') {
		size_t line = strcspn(p, "\n");

		if (line > len && !strncmp(p, name, len) && p[len] == ':') {
			const char *from = p + len + 1, *to = p + line;

			from += strspn(from, " \t");
			if (from > to)
				from = to;
			while (to > from && (to[-1] == ' ' || to[-1] == '\t'))
				to--;
			give(from, (size_t)(to - from), out, size);
			return 0;
		}
		p += line;
	}
	return -ENODATA;
}

/* Numbers of fields in proc_pid_stat(5), the name being the second. */
#define STAT_FLAGS 9
#define STAT_START 22

int stat_fields(const char *text, uint32_t *out_flags, uint64_t *out_start)
{
	const char *p = strrchr(text, ')'); /* a name may hold anything, blanks and ) as well */
	uint32_t flags = 0;

	if (!p)
		return -ENODATA;
	p++;
	for (unsigned field = 3;; field++) {
		p += strspn(p, " ");
		if (!*p || *p == '\n')
			return -ENODATA;
		if (field == STAT_FLAGS)
			flags = (uint32_t)strtoul(p, NULL, 10);
		if (field == STAT_START)
			break;
		p += strcspn(p, " \n");
	}
	*out_flags = flags;
	*out_start = strtoull(p, NULL, 10);
	return 0;
}

enum dumpable dumpable_by_owner(uint32_t euid, uint32_t owner_of_file)
{
	if (euid == 0 || euid == UINT32_MAX)
		return DUMPABLE_UNKNOWN;
	return owner_of_file == euid ? DUMPABLE_YES : DUMPABLE_NO;
}

/* --- gathering -------------------------------------------------------------------------------- */

struct where {
	const struct root *root;
	uint32_t pid;
};

static const char *path_of(const struct where *w, const char *name, char out[64])
{
	snprintf(out, 64, "/proc/%u/%s", w->pid, name);
	return out;
}

static int read_text(const struct where *w, const char *name, char **out)
{
	char path[64];
	size_t len;

	return root_read(w->root, path_of(w, name, path), ROOT_TEXT_MAX, out, &len);
}

static void read_status(const struct where *w, struct process_facts *f)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_close_ int fd = -1;
	char value[64], path[64], *end;
	struct stat st;
	int err = read_text(w, "status", &text);

	f->locked_error = err;
	if (err < 0)
		return;
	status_field(text, "Name", f->comm, sizeof(f->comm));
	if (!status_field(text, "Uid", value, sizeof(value)) && *value >= '0' && *value <= '9') {
		f->uid = (uint32_t)strtoul(value, &end, 10);
		f->euid = (uint32_t)strtoul(end, NULL, 10);
	}
	if (!status_field(text, "CoreDumping", value, sizeof(value)))
		f->core_dumping = !strcmp(value, "1");
	if (status_field(text, "VmLck", value, sizeof(value)) < 0)
		f->locked_error = -ENODATA;
	else
		f->locked_kib = strtoull(value, NULL, 10);
	fd = root_fd(w->root, path_of(w, "status", path), O_PATH);
	if (fd >= 0 && fstat(fd, &st) == 0)
		f->dumpable = dumpable_by_owner(f->euid, st.st_uid);
}

static void read_limits(const struct where *w, struct process_facts *f)
{
	_cleanup_free_ char *text = NULL;

	f->limits_error = read_text(w, "limits", &text);
	if (!f->limits_error)
		f->limits_error = limits_core(text, &f->core_soft, &f->core_hard);
}

static void read_filter(const struct where *w, struct process_facts *f)
{
	char path[64], line[32] = "", *end;

	f->filter_error =
		root_line(w->root, path_of(w, "coredump_filter", path), line, sizeof(line));
	if (f->filter_error)
		return;
	f->filter = (unsigned)strtoul(line, &end, 16);
	if (end == line)
		f->filter_error = -ENODATA;
}

/* Never cut: it goes into a command for root. */
static void take_service(struct span path, struct process_facts *f)
{
	static const char end[] = ".service";
	struct span unit = cgroup_system_unit(path);

	/* What is below belongs to whom the unit gave it (user@UID.service, containers). */
	if (!unit.p || unit.p + unit.len != path.p + path.len || unit.len >= sizeof(f->service) ||
	    unit.len < sizeof(end) ||
	    memcmp(unit.p + unit.len - (sizeof(end) - 1), end, sizeof(end) - 1) != 0)
		return;
	for (size_t i = 0; i < unit.len; i++)
		if (!isalnum((unsigned char)unit.p[i]) &&
		    (!unit.p[i] || !strchr(":_.\\@-", unit.p[i])))
			return;
	memcpy(f->service, unit.p, unit.len);
	f->service[unit.len] = '\0';
}

static void read_names(const struct where *w, struct process_facts *f)
{
	_cleanup_free_ char *text = NULL;
	char path[64], link[1024];
	struct cgroup_name name;

	if (root_link(w->root, path_of(w, "exe", path), link, sizeof(link)) == 0)
		escape_bytes(link, strlen(link), f->exe, sizeof(f->exe), NULL);
	if (root_link(w->root, path_of(w, "cwd", path), link, sizeof(link)) == 0)
		escape_bytes(link, strlen(link), f->cwd, sizeof(f->cwd), NULL);
	if (read_text(w, "cgroup", &text) < 0)
		return;
	for (const char *p = text; *p; p += *p == '\n') {
		size_t len = strcspn(p, "\n");

		if (!strncmp(p, "0::", 3)) {
			struct span cgroup = {p + 3, len - 3};

			cgroup_parse(cgroup, &name);
			take_service(cgroup, f);
			escape_bytes(name.unit, strlen(name.unit), f->unit, sizeof(f->unit), NULL);
		}
		p += len;
	}
}

int process_facts(const struct root *root, uint32_t pid, struct process_facts *out_facts)
{
	struct where w = {root, pid};
	struct process_facts f = {.pid = pid, .uid = UINT32_MAX, .euid = UINT32_MAX};
	_cleanup_free_ char *text = NULL;
	uint32_t flags = 0;
	int err = read_text(&w, "stat", &text);

	if (err == -ENOMEM)
		return err;
	if (err < 0)
		return -ESRCH;
	if (stat_fields(text, &flags, &f.start) == 0)
		f.kernel_thread = flags & PF_KTHREAD;
	read_status(&w, &f);
	read_limits(&w, &f);
	read_filter(&w, &f);
	read_names(&w, &f);
	*out_facts = f;
	return 0;
}

void process_facts_fini(struct process_facts *facts)
{
	for (size_t i = 0; i < facts->nr_keys; i++)
		free(facts->keys[i].places);
	free(facts->keys);
	facts->keys = NULL;
	facts->nr_keys = 0;
}

struct held_key *process_add_key(struct process_facts *facts)
{
	struct held_key *more;

	if (facts->nr_keys == HELD_KEYS_MAX) {
		facts->keys_left_out++;
		return NULL;
	}
	more = realloc(facts->keys, (facts->nr_keys + 1) * sizeof(*more));
	if (!more)
		return NULL;
	facts->keys = more;
	more += facts->nr_keys++;
	*more = (struct held_key){.places = NULL};
	return more;
}

void held_key_add_place(struct held_key *key, uint64_t address)
{
	struct held_place *more = NULL;

	if (key->nr_places < HELD_PLACES_MAX)
		more = realloc(key->places, (key->nr_places + 1) * sizeof(*more));
	if (!more) {
		key->places_left_out++;
		return;
	}
	key->places = more;
	more[key->nr_places++] = (struct held_place){.address = address, .in_core = true};
}

static void place(struct process_facts *f, const struct mapping *m)
{
	unsigned filter = f->filter_error ? CORE_FILTER_DEFAULT : f->filter;

	for (size_t i = 0; i < f->nr_keys; i++)
		for (size_t j = 0; j < f->keys[i].nr_places; j++) {
			struct held_place *p = &f->keys[i].places[j];

			if (p->address < m->start || p->address >= m->end)
				continue;
			p->mapped = true;
			p->mapping = *m;
			p->in_core = mapping_in_core(m, filter);
		}
}

int process_map_places(const struct root *root, struct process_facts *facts)
{
	struct where w = {root, facts->pid};
	_cleanup_free_ char *text = NULL;
	struct mapping m;
	struct smaps smaps;
	char path[64];
	size_t len;
	int err = root_read(root, path_of(&w, "smaps", path), SMAPS_TEXT_MAX, &text, &len);

	facts->smaps_error = err;
	if (err < 0)
		return err;
	if (len == SMAPS_TEXT_MAX)
		facts->smaps_error = -E2BIG;
	smaps = (struct smaps){text, len};
	while (smaps_next(&smaps, &m))
		place(facts, &m);
	return facts->smaps_error;
}
