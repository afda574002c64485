#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# quota.test.sh with a million files: what no table of ours may be able to hold.
# kernels: 6.1
# long: 7200 s, 3072 MiB
# shellcheck source=tests/vm/lib.sh
. /kt/tests/lib.sh
# shellcheck source=tests/vm/alerts.sh
. /kt/tests/alerts.sh
# shellcheck source=tests/vm/quota.sh
. /kt/tests/quota.sh

WAIT=600
quota_flood 1000000 4000
