#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A signing service crashes, its dump is moved to a host where engineers look at dumps, and read there by
# somebody who got hold of an account: all alerts of both hosts, none missing and none extra.
# guests: signer debug
# kernels: 6.1
# long kernels: 7.x
# limit: 3000 s
exec bash "/kt/tests/incident/$(hostname).sh"
