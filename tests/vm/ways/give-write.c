// SPDX-License-Identifier: GPL-2.0-or-later
/* Lets a user write a file by an access control list: give-write UID FILE. */
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <linux/xattr.h>
#include <sys/xattr.h>

#include "way.h"

#define RW (ACL_READ | ACL_WRITE)

int main(int argc, char **argv)
{
	static struct {
		struct posix_acl_xattr_header header;
		struct posix_acl_xattr_entry entries[5];
	} list = {
		{POSIX_ACL_XATTR_VERSION},
		{
			{ACL_USER_OBJ, RW, ACL_UNDEFINED_ID},
			{ACL_USER, RW, 0},
			{ACL_GROUP_OBJ, ACL_READ, ACL_UNDEFINED_ID},
			{ACL_MASK, RW, ACL_UNDEFINED_ID},
			{ACL_OTHER, ACL_READ, ACL_UNDEFINED_ID},
		},
	};

	if (argc != 3) {
		fprintf(stderr, "usage: give-write UID FILE\n");
		return 2;
	}
	list.entries[1].e_id = (uint32_t)atoi(argv[1]);
	if (setxattr(argv[2], XATTR_NAME_POSIX_ACL_ACCESS, &list, sizeof(list), 0) < 0)
		return way_failed(argv[2]);
	return WAY_GOT;
}
