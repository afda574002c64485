#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A million renames of a watched file.
# kernels: 6.1
# long: 3600 s, 1024 MiB
# shellcheck source=tests/vm/lib.sh
. /kt/tests/lib.sh
# shellcheck source=tests/vm/alerts.sh
. /kt/tests/alerts.sh
# shellcheck source=tests/vm/renames.sh
. /kt/tests/renames.sh

WAIT=600
renames_flood 1000000
