// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A file system in user space with one file: fuse-serve SOURCE MOUNTPOINT NAME [HANG]
 *
 * Serves the bytes of SOURCE as MOUNTPOINT/NAME (root only), in the foreground until it is
 * unmounted. What is written there is thrown away. While there is a file HANG it takes requests and
 * does not answer them. Says "mounted" on its standard output. Without libfuse: a dozen requests.
 */
#include <linux/fuse.h>
#include <sys/mount.h>

#include "way.h"

enum { ROOT = 1, FILE_NODE = 2 };

static char content[16384];
static ssize_t content_len;
static const char *file_name;
static int dev;

static struct fuse_attr attr_of(uint64_t node)
{
	return (struct fuse_attr){
		.ino = node,
		.size = node == ROOT ? 0 : content_len,
		.mode = node == ROOT ? S_IFDIR | 0700 : S_IFREG | 0600,
		.nlink = node == ROOT ? 2 : 1,
		.blksize = 4096,
	};
}

static void answer(uint64_t unique, int error, const void *data, size_t len)
{
	struct fuse_out_header h = {.len = sizeof(h) + (error ? 0 : len),
				    .error = error,
				    .unique = unique};
	struct iovec iov[] = {{&h, sizeof(h)}, {(void *)data, error ? 0 : len}};

	(void)!writev(dev, iov, 2);
}

static void answer_entries(uint64_t unique, const struct fuse_read_in *in)
{
	char buf[512] = {};
	struct fuse_dirent *e = (void *)buf;

	if (in->offset) {
		answer(unique, 0, buf, 0);
		return;
	}
	e->ino = FILE_NODE;
	e->off = 1;
	e->type = S_IFREG >> 12;
	e->namelen = strlen(file_name);
	memcpy(e->name, file_name, e->namelen);
	answer(unique, 0, buf, FUSE_DIRENT_SIZE(e));
}

static void serve(const struct fuse_in_header *h, const void *arg)
{
	const struct fuse_read_in *read_in = arg;
	struct fuse_write_out written = {};
	struct fuse_init_out init = {.major = FUSE_KERNEL_VERSION,
				     .minor = FUSE_KERNEL_MINOR_VERSION,
				     .max_readahead = 4096,
				     .max_write = 4096};
	struct fuse_attr_out attr = {.attr_valid = 1, .attr = attr_of(h->nodeid)};
	struct fuse_entry_out entry = {.nodeid = FILE_NODE,
				       .entry_valid = 1,
				       .attr_valid = 1,
				       .attr = attr_of(FILE_NODE)};
	struct fuse_open_out opened = {};
	struct fuse_statfs_out statfs = {.st.bsize = 4096, .st.namelen = 255};
	size_t left;

	switch (h->opcode) {
	case FUSE_INIT:
		answer(h->unique, 0, &init, sizeof(init));
		break;
	case FUSE_GETATTR:
		answer(h->unique, 0, &attr, sizeof(attr));
		break;
	case FUSE_LOOKUP:
		answer(h->unique, strcmp(arg, file_name) ? -ENOENT : 0, &entry, sizeof(entry));
		break;
	case FUSE_OPEN:
	case FUSE_OPENDIR:
		answer(h->unique, 0, &opened, sizeof(opened));
		break;
	case FUSE_READDIR:
		answer_entries(h->unique, read_in);
		break;
	case FUSE_READ:
		left = read_in->offset < (uint64_t)content_len ? content_len - read_in->offset : 0;
		answer(h->unique, 0, content + read_in->offset,
		       left < read_in->size ? left : read_in->size);
		break;
	case FUSE_WRITE:
		written.size = ((const struct fuse_write_in *)arg)->size;
		answer(h->unique, 0, &written, sizeof(written));
		break;
	case FUSE_STATFS:
		answer(h->unique, 0, &statfs, sizeof(statfs));
		break;
	case FUSE_RELEASE:
	case FUSE_RELEASEDIR:
	case FUSE_FLUSH:
		answer(h->unique, 0, NULL, 0);
		break;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		break;
	default:
		answer(h->unique, -ENOSYS, NULL, 0);
	}
}

int main(int argc, char **argv)
{
	static char request[128 << 10] __attribute__((aligned(8)));
	char options[128];
	ssize_t n;
	int fd;

	if (argc != 4 && argc != 5) {
		fprintf(stderr, "usage: fuse-serve SOURCE MOUNTPOINT NAME [HANG]\n");
		return 2;
	}
	fd = way_open(argv[1]);
	content_len = fd < 0 ? -1 : read(fd, content, sizeof(content));
	if (content_len < 0)
		return way_failed(argv[1]);
	close(fd);
	file_name = argv[3];
	dev = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (dev < 0)
		return way_lacks("/dev/fuse");
	snprintf(options, sizeof(options), "fd=%d,rootmode=40700,user_id=0,group_id=0,allow_other",
		 dev);
	if (mount("keys", argv[2], "fuse", MS_NOSUID | MS_NODEV, options) < 0)
		return way_failed("mount");
	if (write(STDOUT_FILENO, "mounted\n", 8) != 8)
		return way_failed("standard output");
	for (;;) {
		n = read(dev, request, sizeof(request));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < (ssize_t)sizeof(struct fuse_in_header))
			return n < 0 && errno == ENODEV ? WAY_GOT : way_failed("/dev/fuse");
		while (argc == 5 && ((struct fuse_in_header *)request)->opcode != FUSE_INIT &&
		       access(argv[4], F_OK) == 0)
			usleep(20000);
		serve((void *)request, request + sizeof(struct fuse_in_header));
	}
}
