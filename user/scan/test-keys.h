/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Private keys that a distribution ships inside of its libraries and programs, for self tests and
 * benchmarks: in a dump of physical memory they stand beside everybody's real ones. Known by their
 * public half (test-keys.def, made by scripts/make-test-keys).
 */
#pragma once

#include <stdint.h>

/* The package that it was seen in; NULL: no test key that we know. */
const char *test_key(const uint8_t spki[32]);
