#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A working day under the default policy, and what a site has to say of its own: nothing of it is told.
# loud.test.sh is its counterweight.
# kernels: 6.1
# limit: 900 s
# shellcheck source=tests/vm/lib.sh
. /kt/tests/lib.sh
# shellcheck source=tests/vm/work/cases.sh
. /kt/tests/work/cases.sh
# shellcheck source=tests/vm/work/stage.sh
. /kt/tests/work/stage.sh

stage || exit 1
work_start || exit 1
for topic in ${TOPICS:-ssh git accounts web packages host home crash}; do
	"${topic}_quiet"
done
work_end
