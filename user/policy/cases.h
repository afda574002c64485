/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cases that a policy is to decide: who does what to which file, and what is to come of it. For
 * `keytrail policy test`.
 *
 *	version: 1
 *	homes: [/home/ada]         # beside /root
 *	cases:
 *	  - name: backup may
 *	    subject: {exe: /usr/bin/restic, unit: backup.service}
 *	    action: read           # the default
 *	    object: /home/ada/.ssh/id_ed25519
 *	    expect: record         # allow | record | alert | unwatched
 *	    watch: ssh-user-keys   # if given: this entry decides
 */
#pragma once

#include <stdio.h>

#include "base/diag.h"
#include "policy/policy.h"

struct cases_result {
	size_t passed, failed;
};

/*
 * Reads the cases and asks `policy`; each that comes out otherwise is told to `out` with its place,
 * its answer and why (policy_explain()). -EINVAL with diags: the cases are not as above; -E2BIG:
 * the policy cannot be compiled; -ENOMEM.
 */
int cases_run(const struct policy *policy, const char *name, const char *text, size_t len,
	      struct diag_list *diags, FILE *out, struct cases_result *out_result);
