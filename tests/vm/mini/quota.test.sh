#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A user makes thirty thousand files of a watched name, many more than there is room for in the map of
# marks: other users' new keys are watched all the same. quota-million.test.sh does it with a million.
# kernels: 6.1
# shellcheck source=tests/vm/lib.sh
. /kt/tests/lib.sh
# shellcheck source=tests/vm/alerts.sh
. /kt/tests/alerts.sh
# shellcheck source=tests/vm/quota.sh
. /kt/tests/quota.sh

quota_flood 30000 2000
