/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A living process as a subject of the policy, as far as /proc tells it. */
#pragma once

#include <sys/types.h>

#include "policy/policy.h"
#include "proc/image.h"
#include "trust/digest.h"
#include "trust/runtimes.h"
#include "trust/verity.h"
#include "trust/dpkg.h"

struct process_subject {
	struct policy_subject subject; /* its spans point into what follows */
	char exe[4096], cgroup[4096], user[256];
	struct container_image image;
	struct runtimes_refused refused; /* why the image is not known, if it is not */
	char digest[DIGEST_TEXT], package[PACKAGE_MAX], verity[VERITY_TEXT];
};

/*
 * Reads /proc/PID. The executable is taken for verified if the file at its path is the one that
 * runs and neither that nor a directory above can be changed by others than root. What the daemon
 * is told by the kernel is more exact, and knows of code that is not mapped any longer and of a
 * tracer that is gone. -ESRCH: no such process; -EACCES: not allowed to look; another negative
 * errno.
 */
int process_subject_read(pid_t pid, struct process_subject *out_process);

/*
 * Digest and package of the file at `path`, for a program whose path is out_process->exe: as far as
 * it can be read.
 */
void process_subject_inspect(const char *path, struct process_subject *out_process);
