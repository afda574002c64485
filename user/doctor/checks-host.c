// SPDX-License-Identifier: GPL-2.0-or-later
/* Checks of a host's settings: where memory goes, and who may look. */
#include <string.h>

#include "doctor/check.h"

static void found(struct doctor *d, enum check_id id, const char *path, const char *value)
{
	doctor_find(d, id, &(struct finding_text){.path = path, .value = value});
}

/* True if the fact is there; why it cannot be had is told for the check that wants it. */
static bool known(struct doctor *d, enum check_id id, const struct fact *fact)
{
	if (fact->error && fact->error != -ENOENT)
		doctor_blind(d, id, fact->path, fact->error, NULL);
	return !fact->error;
}

/* --- cores -------------------------------------------------------------------------------------
 */

static void check_suid(struct doctor *d, const struct host_facts *h)
{
	if (h->suid_dumpable.error == -ENOENT) /* each kernel has it: /proc is not there */
		doctor_blind(d, CHECK_SUID_DUMPABLE, h->suid_dumpable.path, -ENOENT, NULL);
	if (known(d, CHECK_SUID_DUMPABLE, &h->suid_dumpable) &&
	    !strcmp(h->suid_dumpable.value, "1"))
		found(d, CHECK_SUID_DUMPABLE, h->suid_dumpable.path, "1");
}

static void check_pattern(struct doctor *d, const struct host_facts *h)
{
	static const struct {
		enum core_kind kind;
		enum check_id id;
	} kinds[] = {
		{CORE_RELATIVE, CHECK_CORE_RELATIVE}, {CORE_HELPER, CHECK_CORE_HELPER},
		{CORE_APPORT, CHECK_CORE_REPORTER},   {CORE_ABRT, CHECK_CORE_REPORTER},
		{CORE_SOCKET, CHECK_CORE_SOCKET},
	};

	if (h->core == CORE_UNKNOWN)
		doctor_blind(d, CHECK_CORE_RELATIVE, h->core_pattern.path, h->core_pattern.error,
			     NULL);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (h->core == kinds[i].kind)
			found(d, kinds[i].id, h->core_pattern.path, h->core_pattern.value);
}

static size_t append(char *out, size_t size, size_t at, const char *name, const struct fact *fact)
{
	int n = fact->error ? 0
			    : snprintf(out + at, size - at, "%s%s=%s", at ? ", " : "", name,
				       fact->value);

	return n > 0 && (size_t)n < size - at ? at + (size_t)n : at;
}

static void check_storage(struct doctor *d, const struct host_facts *h)
{
	const char *storage = h->storage.error ? "external" : h->storage.value;
	const char *path = h->storage.error ? "/etc/systemd/coredump.conf" : h->storage.path;
	char text[512] = "";
	size_t at;

	if (h->core != CORE_SYSTEMD)
		return;
	if (h->storage.error && h->storage.error != -ENOENT) {
		doctor_blind(d, CHECK_CORES_KEPT, h->storage.path, h->storage.error, NULL);
		return;
	}
	if (!strcmp(storage, "none"))
		return;
	at = (size_t)snprintf(text, sizeof(text), "Storage=%s%s", storage,
			      h->storage.error ? " (default)" : "");
	at = append(text, sizeof(text), at, "ExternalSizeMax", &h->external_max);
	at = append(text, sizeof(text), at, "MaxUse", &h->max_use);
	append(text, sizeof(text), at, "KeepFree", &h->keep_free);
	found(d, !strcmp(storage, "journal") ? CHECK_CORES_IN_JOURNAL : CHECK_CORES_KEPT, path,
	      text);
}

/* --- the directory of dumps ---------------------------------------------------------------------
 */

static void found_in_dir(struct doctor *d, enum check_id id, const struct dump_dir *dir,
			 const char *value)
{
	const char *from = checks[id].mend, *word;
	char mend[512] = "";
	size_t at = 0;

	/* The command is for this directory. */
	while ((word = strstr(from, "DIRECTORY")) && at < sizeof(mend)) {
		at += (size_t)snprintf(mend + at, sizeof(mend) - at, "%.*s%s", (int)(word - from),
				       from, dir->path);
		from = word + strlen("DIRECTORY");
	}
	if (at < sizeof(mend))
		snprintf(mend + at, sizeof(mend) - at, "%s", from);
	doctor_find(d, id, &(struct finding_text){.path = dir->path, .value = value, .mend = mend});
}

static void list_acl(const struct acl *acl, const char *what, char *out, size_t size)
{
	size_t nr = acl->nr < ACL_NAMED_MAX ? acl->nr : ACL_NAMED_MAX, at = strlen(out);

	for (size_t i = 0; i < nr && at < size - 1; i++)
		at += (size_t)snprintf(out + at, size - at, "%s%s:%s:%u:r", at ? " " : "", what,
				       acl->named[i].group ? "group" : "user", acl->named[i].id);
	if (acl->nr > nr && at < size - 1)
		snprintf(out + at, size - at, " and %zu more", acl->nr - nr);
}

static void check_shared(struct doctor *d, const struct dump_dir *dir)
{
	char who[400] = "";

	list_acl(&dir->default_acl, "default", who, sizeof(who));
	if (dir->mode & 02000 && dir->gid)
		snprintf(who + strlen(who), sizeof(who) - strlen(who),
			 "%smode %04o: files get group %u", *who ? "; " : "", dir->mode, dir->gid);
	if (*who)
		found_in_dir(d, CHECK_DUMPS_SHARED, dir, who);
}

static void check_dir(struct doctor *d, const struct host_facts *h)
{
	const struct dump_dir *dir = &h->dumps;
	char text[400];

	if (!dir->path[0])
		return;
	if (dir->remote) {
		found(d, CHECK_DUMPS_REMOTE, dir->path, dir->type);
		return;
	}
	if (dir->mount_error)
		doctor_blind(d, CHECK_DUMPS_REMOTE, "/proc/self/mountinfo", dir->mount_error, NULL);
	if (dir->error == -ENOENT) /* nothing was dumped yet, and nothing is kept */
		return;
	if (dir->error) {
		doctor_blind(d, CHECK_DUMPS_SHARED, dir->path, dir->error, NULL);
		return;
	}
	check_shared(d, dir);
	if (dir->acl_error)
		doctor_blind(d, CHECK_DUMPS_SHARED, dir->path, dir->acl_error, NULL);
	/* The sticky bit keeps others from what is not theirs; new names they can make all the
	 * same, and that is what /tmp is for. */
	if (dir->uid || dir->mode & 0002 || (dir->mode & 0020 && dir->gid)) {
		snprintf(text, sizeof(text), "mode %04o, owner %u:%u", dir->mode, dir->uid,
			 dir->gid);
		found_in_dir(d, CHECK_DUMPS_WRITABLE, dir, text);
	}
	if (dir->open_files) {
		snprintf(text, sizeof(text), "%u of %u, among them %s (mode %04o)", dir->open_files,
			 dir->files, dir->open_example, dir->open_mode);
		found_in_dir(d, CHECK_DUMPS_READABLE, dir, text);
	}
	if (dir->files_error)
		doctor_blind(d, CHECK_DUMPS_READABLE, dir->path, dir->files_error, NULL);
	if (!strcmp(h->storage.error ? "" : h->storage.value, "none") && h->core == CORE_SYSTEMD)
		return; /* nothing new comes */
	if (!known(d, CHECK_DUMPS_FOREVER, &dir->age) && dir->age.error != -ENOENT)
		return;
	if (dir->age.error || !dir->age.value[0] || !strcmp(dir->age.value, "-"))
		found_in_dir(d, CHECK_DUMPS_FOREVER, dir,
			     dir->age.error ? "no line in tmpfiles.d" : dir->age.path);
}

/* --- memory on disks ----------------------------------------------------------------------------
 */

static void check_swap(struct doctor *d, const struct host_facts *h)
{
	if (h->swaps_error &&
	    h->swaps_error != -ENOENT) /* a kernel without swap has no such file */
		doctor_blind(d, CHECK_SWAP_PLAIN, "/proc/swaps", h->swaps_error, NULL);
	for (size_t i = 0; i < h->nr_swaps; i++) {
		const struct swap *swap = &h->swaps[i];

		if (!swap->known)
			doctor_blind(d, CHECK_SWAP_PLAIN, swap->path, -ENODEV, NULL);
		else if (swap->kind == SWAP_PLAIN)
			found(d, CHECK_SWAP_PLAIN, "/proc/swaps", swap->path);
	}
	if (h->hibernates && !h->resume_encrypted)
		found(d, CHECK_HIBERNATION, h->resume.path, h->resume.value);
}

static void check_kdump(struct doctor *d, const struct host_facts *h)
{
	bool loaded = !h->kdump_loaded.error && !strcmp(h->kdump_loaded.value, "1");

	/* An installed package that is not in use makes no dump. */
	if (!loaded && !h->kdump_loaded.error)
		return;
	if (known(d, CHECK_KDUMP_REMOTE, &h->kdump_target))
		found(d, CHECK_KDUMP_REMOTE, h->kdump_target.path, h->kdump_target.value);
	if (!h->kdump)
		return;
	if (h->kdump_level.error)
		found(d, CHECK_KDUMP_USER_PAGES, "makedumpfile", "no level (-d) is set");
	else if (!(strtoul(h->kdump_level.value, NULL, 10) & 8))
		found(d, CHECK_KDUMP_USER_PAGES, h->kdump_level.path, h->kdump_level.value);
}

void checks_host(struct doctor *d)
{
	const struct host_facts *h = d->host;

	if (!h)
		return;
	check_suid(d, h);
	check_pattern(d, h);
	check_storage(d, h);
	check_dir(d, h);
	check_swap(d, h);
	/* Without Yama it is as with 0. */
	if (h->ptrace_scope.error == -ENOENT && !h->suid_dumpable.error)
		found(d, CHECK_PTRACE_SCOPE, h->ptrace_scope.path, "the kernel has no Yama");
	else if (h->ptrace_scope.error == -ENOENT)
		doctor_blind(d, CHECK_PTRACE_SCOPE, h->ptrace_scope.path, -ENOENT, NULL);
	else if (known(d, CHECK_PTRACE_SCOPE, &h->ptrace_scope) &&
		 !strcmp(h->ptrace_scope.value, "0"))
		found(d, CHECK_PTRACE_SCOPE, h->ptrace_scope.path, "0");
	check_kdump(d, h);
	if (known(d, CHECK_CRASH_UPLOAD, &h->upload))
		found(d, CHECK_CRASH_UPLOAD, h->upload.path, h->upload.value);
	if (h->syslog_remote.error == -ENOENT)
		found(d, CHECK_LOGS_STAY, "/etc/rsyslog.conf",
		      "no line sends logs to another host");
	else
		known(d, CHECK_LOGS_STAY, &h->syslog_remote);
}
