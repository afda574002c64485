// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Not a way to a key but to blind who watches: empties every map in the kernel that has the name
 * argv[1]. Root can do that; that it happened must be told.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define KEYS_MAX 1000000

static int bpf(enum bpf_cmd cmd, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

static long empty(int map, unsigned key_size)
{
	char key[256];
	long gone = 0;

	for (; gone < KEYS_MAX; gone++) {
		union bpf_attr attr = {.map_fd = (unsigned)map};

		attr.next_key = (unsigned long)key;
		if (key_size > sizeof(key) || bpf(BPF_MAP_GET_NEXT_KEY, &attr) < 0)
			break;
		memset(&attr, 0, sizeof(attr));
		attr.map_fd = (unsigned)map;
		attr.key = (unsigned long)key;
		if (bpf(BPF_MAP_DELETE_ELEM, &attr) < 0)
			break;
	}
	return gone;
}

int main(int argc, char **argv)
{
	unsigned id = 0;
	long gone = 0;

	while (argc == 2) {
		union bpf_attr attr = {.start_id = id};
		struct bpf_map_info info = {};
		int map;

		if (bpf(BPF_MAP_GET_NEXT_ID, &attr) < 0)
			break;
		id = attr.next_id;
		memset(&attr, 0, sizeof(attr));
		attr.map_id = id;
		map = bpf(BPF_MAP_GET_FD_BY_ID, &attr);
		if (map < 0)
			continue;
		memset(&attr, 0, sizeof(attr));
		attr.info.bpf_fd = (unsigned)map;
		attr.info.info_len = sizeof(info);
		attr.info.info = (unsigned long)&info;
		if (bpf(BPF_OBJ_GET_INFO_BY_FD, &attr) == 0 && strcmp(info.name, argv[1]) == 0)
			gone += empty(map, info.key_size);
		close(map);
	}
	printf("%ld\n", gone);
	return gone ? 0 : 1;
}
