// SPDX-License-Identifier: GPL-2.0-or-later
/* Paths of keys and dumps that only configurations know. */
#include "cli/discover.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

#define LINES_MAX  100000
#define FILE_MAX   (1 << 20) /* bytes: a line may be as long as its file */
#define ANSWER_MAX 65536 /* bytes that a child may say of one home */

const struct discover_kind discover_kinds[] = {
	{"/etc/ssh/sshd_config", "HostKey", false, "ssh-host-keys", "/etc/ssh"},
	{"/etc/ssh/sshd_config.d/*.conf", "HostKey", false, "ssh-host-keys", "/etc/ssh"},
	{"/etc/ssh/ssh_config", "IdentityFile", false, "ssh-user-keys", NULL},
	{"/etc/ssh/ssh_config.d/*.conf", "IdentityFile", false, "ssh-user-keys", NULL},
	{"~/.ssh/config", "IdentityFile", false, "ssh-user-keys", NULL},
	{"/etc/nginx/nginx.conf", "ssl_certificate_key", true, "tls-private", "/etc/nginx"},
	{"/etc/nginx/conf.d/*.conf", "ssl_certificate_key", true, "tls-private", "/etc/nginx"},
	{"/etc/nginx/sites-enabled/*", "ssl_certificate_key", true, "tls-private", "/etc/nginx"},
	{"/etc/nginx/snippets/*.conf", "ssl_certificate_key", true, "tls-private", "/etc/nginx"},
	{"/etc/apache2/sites-enabled/*", "SSLCertificateKeyFile", false, "tls-private",
	 "/etc/apache2"},
	{"/etc/apache2/conf-enabled/*", "SSLCertificateKeyFile", false, "tls-private",
	 "/etc/apache2"},
	{"/etc/httpd/conf/httpd.conf", "SSLCertificateKeyFile", false, "tls-private", "/etc/httpd"},
	{"/etc/httpd/conf.d/*.conf", "SSLCertificateKeyFile", false, "tls-private", "/etc/httpd"},
	{"/etc/haproxy/haproxy.cfg", "crt", true, "tls-private", "/etc/haproxy"},
	{"/etc/haproxy/conf.d/*.cfg", "crt", true, "tls-private", "/etc/haproxy"},
	{"/etc/lighttpd/conf-enabled/*", "ssl.privkey", false, "tls-private", "/etc/lighttpd"},
	{"/etc/postfix/main.cf", "smtpd_tls_key_file", false, "tls-private", "/etc/postfix"},
	{"/etc/postfix/main.cf", "smtp_tls_key_file", false, "tls-private", "/etc/postfix"},
	{"/etc/dovecot/dovecot.conf", "ssl_key", false, "tls-private", "/etc/dovecot"},
	{"/etc/dovecot/conf.d/*.conf", "ssl_key", false, "tls-private", "/etc/dovecot"},
	{"/etc/stunnel/*.conf", "key", false, "tls-private", "/etc/stunnel"},
	{"/etc/postgresql/*/*/postgresql.conf", "ssl_key_file", false, "tls-private", NULL},
	{"/etc/openvpn/*.conf", "key", false, "tls-private", "/etc/openvpn"},
	{"/etc/openvpn/server/*.conf", "key", false, "tls-private", "/etc/openvpn/server"},
	{"/etc/kubernetes/*.conf", "client-key:", false, "kubernetes-pki", NULL},
	{"~/.kube/config", "client-key:", false, "user-kubeconfigs", NULL},
	{"~/.kube/config", "tokenFile:", false, "user-kubeconfigs", NULL},
	{0},
};

/* --- a line ------------------------------------------------------------------------------------
 */

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Behind the word; NULL if it is not there as a word of its own. */
static const char *find_word(const struct discover_kind *kind, const char *line)
{
	size_t len = strlen(kind->word);
	const char *p = line;

	while (is_space(*p))
		p++;
	if (*p == '#' || *p == ';')
		return NULL;
	for (; *p; p++) {
		if ((p == line || is_space(p[-1]) || p[-1] == '{' || p[-1] == ';') &&
		    !strncasecmp(p, kind->word, len) &&
		    (is_space(p[len]) || p[len] == '=' || p[len] == '"'))
			return p + len;
		if (*p == '#')
			return NULL;
		if (!kind->anywhere && !is_space(*p))
			return NULL;
	}
	return NULL;
}

/* One value: in quotes, or up to a space, a semicolon or a comment. */
static bool read_value(const char *p, char *out, size_t size)
{
	char quote = 0;
	size_t n = 0;

	while (is_space(*p) || *p == '=')
		p++;
	if (*p == '"' || *p == '\'')
		quote = *p++;
	if (*p == '<') /* dovecot: the content of this file */
		p++;
	for (; *p && *p != '\n' && n + 1 < size; p++) {
		if (quote ? *p == quote : is_space(*p) || *p == ';' || *p == '#')
			break;
		out[n++] = *p;
	}
	out[n] = '\0';
	return n > 0 && n + 1 < size;
}

bool discover_line(const struct discover_kind *kind, const char *line, const char *dir,
		   const char *home, char *out, size_t size, const char **out_unclear)
{
	const char *p = find_word(kind, line), *base = kind->relative_to ? kind->relative_to : dir;
	char value[PATH_MAX];
	int n;

	if (!p || !read_value(p, value, sizeof(value)) || !strcasecmp(value, "none"))
		return false;
	*out_unclear = NULL;
	if (!strncmp(value, "~/", 2) || !strncmp(value, "%d/", 3)) {
		base = home ? home : "~";
		n = snprintf(out, size, "%s%s", base, strchr(value, '/'));
	} else if (*value == '/') {
		n = snprintf(out, size, "%s", value);
	} else {
		/* ssh looks from where it is started; what that was is not known. */
		n = snprintf(out, size, "%s/%s", base, value);
	}
	if (n < 0 || (size_t)n >= size)
		return false;
	if (strpbrk(out, "%$") || strstr(out, "{{"))
		*out_unclear = "has parts that only the program fills in";
	else if (strstr(out, "/../") || strstr(out, "/./") || strstr(out, "//"))
		*out_unclear = "is not a plain path";
	return true;
}

/* --- a file ------------------------------------------------------------------------------------
 */

struct finder {
	discover_fn fn;
	void *ctx;
};

static void read_lines(const struct discover_kind *kind, FILE *f, const char *path,
		       const char *home, const struct finder *finder)
{
	char *line = NULL, dir[PATH_MAX];
	size_t size = 0;

	snprintf(dir, sizeof(dir), "%s", path);
	*strrchr(dir, '/') = '\0';
	for (unsigned nr = 1; nr < LINES_MAX && getline(&line, &size, f) >= 0; nr++) {
		char text[PATH_MAX];
		struct discovered found = {.watch = kind->watch, .file = path, .line = nr};
		_cleanup_free_ char *real = NULL;

		if (!discover_line(kind, line, dir, home, text, sizeof(text), &found.unclear))
			continue;
		/* The policy goes by what a path leads to. */
		real = realpath(text, NULL);
		if (real)
			found.unclear = NULL;
		found.path = real ? real : text;
		finder->fn(finder->ctx, &found);
	}
	free(line);
}

static bool is_roots(const struct stat *st)
{
	return st->st_uid == 0 && !(st->st_mode & S_IWOTH) &&
	       (!(st->st_mode & S_IWGRP) || st->st_gid == 0);
}

/* What others can write is a user's word, and not read by root. */
static FILE *open_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	FILE *f;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > FILE_MAX ||
	    (geteuid() == 0 && !is_roots(&st))) {
		fd_close(fd);
		return NULL;
	}
	f = fdopen(fd, "r");
	if (!f)
		fd_close(fd);
	return f;
}

static int read_host(const struct discover_kind *kind, const char *root,
		     const struct finder *finder)
{
	_cleanup_free_ char *pattern = NULL;
	glob_t found = {0};
	int r;

	if (asprintf(&pattern, "%s%s", root, kind->files) < 0)
		return -ENOMEM;
	r = glob(pattern, 0, NULL, &found);
	for (size_t i = 0; r == 0 && i < found.gl_pathc; i++) {
		_cleanup_fclose_ FILE *f = open_file(found.gl_pathv[i]);

		if (f)
			read_lines(kind, f, found.gl_pathv[i], NULL, finder);
	}
	globfree(&found);
	return r == GLOB_NOSPACE ? -ENOMEM : 0;
}

/* --- homes -------------------------------------------------------------------------------------
 */

struct say {
	FILE *f;
	unsigned kind;
};

static void say_found(void *ctx, const struct discovered *found)
{
	const struct say *say = ctx;

	if (strpbrk(found->path, "\t\n") || strpbrk(found->file, "\t\n"))
		return;
	fprintf(say->f, "%u\t%u\t%d\t%s\t%s\n", say->kind, found->line, found->unclear != NULL,
		found->file, found->path);
}

/* In the child, as the home's owner: nothing of root's is left. */
static void read_home(const char *home, int out)
{
	struct say say = {.f = fdopen(out, "w")};

	for (unsigned k = 0; say.f && discover_kinds[k].files; k++) {
		const struct discover_kind *kind = &discover_kinds[k];
		const struct finder finder = {say_found, &say};
		char path[PATH_MAX];
		FILE *f;

		if (*kind->files != '~')
			continue;
		say.kind = k;
		snprintf(path, sizeof(path), "%s%s", home, kind->files + 1);
		f = open_file(path);
		if (!f)
			continue;
		read_lines(kind, f, path, home, &finder);
		fclose(f);
	}
	if (say.f)
		fclose(say.f);
}

static bool become(const struct stat *owner)
{
	if (geteuid() != 0)
		return owner->st_uid == geteuid();
	/* root's own home is root's word. */
	return owner->st_uid == 0 || (setgroups(0, NULL) == 0 &&
				      setresgid(owner->st_gid, owner->st_gid, owner->st_gid) == 0 &&
				      setresuid(owner->st_uid, owner->st_uid, owner->st_uid) == 0);
}

/* A number up to max and a tab, which *text is moved behind. */
static bool take_number(char **text, unsigned long max, unsigned long *out)
{
	char *end;

	if (**text < '0' || **text > '9')
		return false;
	errno = 0;
	*out = strtoul(*text, &end, 10);
	if (errno || *end != '\t' || *out > max)
		return false;
	*text = end + 1;
	return true;
}

/* What the child said: checked, since a user's file made it say so. */
static void take_answer(char *text, const struct finder *finder)
{
	unsigned nr_kinds = 0;

	while (discover_kinds[nr_kinds].files)
		nr_kinds++;
	for (char *save = NULL, *line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		unsigned long kind, nr, unclear;
		char *path;

		if (!take_number(&line, nr_kinds - 1, &kind) ||
		    !take_number(&line, LINES_MAX, &nr) || !take_number(&line, 1, &unclear))
			continue;
		path = strchr(line, '\t');
		if (!path)
			continue;
		*path++ = '\0';
		finder->fn(finder->ctx,
			   &(struct discovered){
				   .path = path,
				   .watch = discover_kinds[kind].watch,
				   .file = line,
				   .line = (unsigned)nr,
				   .unclear = unclear ? "has parts that only the program fills in"
						      : NULL,
			   });
	}
}

static int ask_home(const char *home, const struct finder *finder)
{
	_cleanup_free_ char *text = malloc(ANSWER_MAX + 1);
	struct stat owner;
	size_t len = 0;
	int pipe_fds[2];
	ssize_t n;
	pid_t pid;

	if (!text)
		return -ENOMEM;
	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return -errno;
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		alarm(10); /* a home on a dead server */
		close(pipe_fds[0]);
		if (stat(home, &owner) == 0 && become(&owner))
			read_home(home, pipe_fds[1]);
		_exit(0);
	}
	fd_close(pipe_fds[1]);
	while (pid > 0 && len < ANSWER_MAX &&
	       (n = read(pipe_fds[0], text + len, ANSWER_MAX - len)) > 0)
		len += (size_t)n;
	fd_close(pipe_fds[0]);
	if (pid < 0)
		return -errno;
	waitpid(pid, NULL, 0);
	text[len] = '\0';
	take_answer(text, finder);
	return 0;
}

int discover_all(const char *root, const char *const *homes, size_t nr_homes, discover_fn fn,
		 void *ctx)
{
	const struct finder finder = {fn, ctx};
	int r = 0;

	for (size_t k = 0; discover_kinds[k].files && r == 0; k++)
		if (discover_kinds[k].files[0] == '/')
			r = read_host(&discover_kinds[k], root, &finder);
	for (size_t h = 0; h < nr_homes && r == 0; h++)
		r = ask_home(homes[h], &finder);
	return r;
}

/* --- dumps -------------------------------------------------------------------------------------
 */

bool discover_core_pattern(const char *core_pattern, char *out, char *out_sample, size_t size)
{
	size_t n = 0, s = 0;

	if (*core_pattern != '/')
		return false;
	for (const char *p = core_pattern; *p && *p != '\n'; p++) {
		if (n + 3 >= size || s + 3 >= size)
			return false;
		if (*p == '%' && p[1] == '%') {
			out[n++] = out_sample[s++] = *p++;
		} else if (*p == '%' && p[1]) {
			p++;
			if (n && out[n - 1] != '*')
				out[n++] = '*';
			out_sample[s++] = '7';
		} else {
			if (strchr("*?[\\", *p))
				out[n++] = '\\';
			out[n++] = out_sample[s++] = *p;
		}
	}
	/* core_uses_pid appends the process. */
	if (n && out[n - 1] != '*')
		out[n++] = '*';
	out[n] = out_sample[s] = '\0';
	return true;
}
