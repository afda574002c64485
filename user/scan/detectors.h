/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The detectors by name: a line here and one in detectors.c bring a new one in. */
#pragma once

#include "scan/detector.h"

extern const struct detector detector_aes; /* key schedules; random generators told apart */
extern const struct detector detector_numbers; /* RSA and EC keys as bare numbers */
extern const struct detector detector_form; /* keys in PEM, DER, OpenSSH form */
extern const struct detector detector_needle; /* known keys, by a needle file */
extern const struct detector detector_token; /* API keys and access tokens, by rules */
