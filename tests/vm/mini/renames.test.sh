#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A flood of renames, with rings as small as can be; renames-million.test.sh is the long one.
# kernels: 6.1
# shellcheck source=tests/vm/lib.sh
. /kt/tests/lib.sh
# shellcheck source=tests/vm/alerts.sh
. /kt/tests/alerts.sh
# shellcheck source=tests/vm/renames.sh
. /kt/tests/renames.sh

WAIT=180
renames_flood 50000 "ring_critical_kib: 64, ring_bulk_kib: 64"
