#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Beside each piece of ordinary work its nearest misuse: each is told, once, as what it is.
# kernels: 6.1
# limit: 900 s
# shellcheck source=tests/vm/lib.sh
. /kt/tests/lib.sh
# shellcheck source=tests/vm/work/cases.sh
. /kt/tests/work/cases.sh
# shellcheck source=tests/vm/work/stage.sh
. /kt/tests/work/stage.sh

stage || exit 1
stage_names
work_start || exit 1
for topic in ${TOPICS:-ssh git accounts web packages host home crash}; do
	"${topic}_loud"
done
work_end
