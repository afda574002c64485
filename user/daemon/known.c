// SPDX-License-Identifier: GPL-2.0-or-later
/* Needle files and token rules for scans by the daemon. */
#include "daemon/known.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "daemon/log.h"
#include "policy/tokenrules.h"
#include "scan/known.h"
#include "scan/needle-site.h"

struct known_list {
	unsigned users;
	int fd; /* sealed: the needles as text */
	struct needles needles;
};

void known_init(struct known *known)
{
	*known = (struct known){.list = NULL};
}

static void list_put(struct known_list *list)
{
	if (!list || --list->users)
		return;
	fd_close(list->fd);
	needles_fini(&list->needles);
	free(list);
}

void known_fini(struct known *known)
{
	list_put(known->list);
	token_rules_fini(&known->rules);
	known_init(known);
}

static void log_diags(const struct diag_list *diags)
{
	for (size_t i = 0; i < diags->nr; i++)
		log_line(SD_ERR, "%s:%u:%u: %s", diags->items[i].file, diags->items[i].line,
			 diags->items[i].column, diags->items[i].text);
}

/* The site's own key demands a signature, also if it cannot be read. */
static int read_list(const char *path, struct needles *needles)
{
	uint8_t site[NEEDLE_ED25519];
	struct diag_list diags = {0};
	size_t expired = 0;
	int err = needle_site_key(NEEDLE_SITE_KEY, site);
	bool demanded = err != -ENOENT;

	if (err == -ENOENT)
		err = 0;
	if (err < 0)
		log_line(SD_ERR, "%s: %s", NEEDLE_SITE_KEY,
			 err == -EINVAL ? "no Ed25519 public key" : strerror(-err));
	else
		err = needles_load(path, demanded ? site : NULL, time(NULL), &diags, needles,
				   &expired);
	log_diags(&diags);
	if (err < 0 && !diags.nr)
		log_line(SD_ERR, "%s: %s", path, strerror(-err));
	if (expired)
		log_line(SD_WARNING, "%s: %zu of %zu needles have expired", path, expired,
			 needles->nr);
	diag_list_fini(&diags);
	return err;
}

static int memory_file(const struct needles *needles, int *out_fd)
{
	_cleanup_close_ int fd = memfd_create("needles", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct buf text = {0};
	int err;

	if (fd < 0)
		return -errno;
	err = needles_print(needles, &text);
	for (size_t done = 0; !err && done < text.len;) {
		ssize_t n = write(fd, text.p + done, text.len - done);

		if (n < 0 && errno != EINTR)
			err = -errno;
		done += n > 0 ? (size_t)n : 0;
	}
	buf_fini(&text);
	if (!err &&
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
		err = -errno;
	if (!err)
		*out_fd = take_fd(fd);
	return err;
}

int known_load(struct known *known, const char *path)
{
	struct known_list *list;
	int err;

	list_put(known->list);
	known->list = NULL;
	if (!path[0])
		return 0;
	list = calloc(1, sizeof(*list));
	if (!list)
		return -ENOMEM;
	list->users = 1;
	list->fd = -1;
	err = read_list(path, &list->needles);
	if (!err)
		err = memory_file(&list->needles, &list->fd);
	if (err < 0) {
		list_put(list);
		return err;
	}
	known->list = list;
	return 0;
}

int known_copy(const struct known *from, struct known *out_copy)
{
	struct known copy = {.list = from->list};
	struct diag_list diags = {0};
	int err = token_rules_load(NULL, &diags, &copy.rules);

	diag_list_fini(&diags);
	/* The scanner says what is wrong with rules, by ending. */
	if (err == -ENOMEM)
		return err;
	if (copy.list)
		copy.list->users++;
	*out_copy = copy;
	return 0;
}

int known_fd(const struct known *known)
{
	return known->list ? known->list->fd : -1;
}

size_t known_count(const struct known *known)
{
	return known->list ? known->list->needles.nr : 0;
}

void known_names(const struct known *known, struct scan_verdict *verdict)
{
	int64_t now = time(NULL);

	for (size_t i = 0; i < verdict->nr_keys; i++) {
		struct found_key *key = &verdict->keys[i];
		uint32_t rule = key->finding.what == FINDING_TOKEN ? key->finding.ref : 0;
		const struct needle *needle;

		if (rule) {
			key->label =
				rule <= known->rules.nr ? known->rules.items[rule - 1].name : NULL;
			continue;
		}
		needle = known->list ? known_needle(&known->list->needles, &key->finding) : NULL;
		if (!needle)
			continue;
		key->label = needle->label[0] ? needle->label : NULL;
		key->zone = needle->zone[0] ? needle->zone : NULL;
		key->expired = needle->expires && needle->expires <= now;
	}
}
