# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs scripts/vm with real guests, for its tests."""
import subprocess

import tap

KERNEL = ["--kernel", "6.1", "--image", "mini"]


def needs_guests():
    missing = tap.run([tap.tool("missing-deps"), "vm"])[1].strip()
    if missing:
        raise tap.Skip("missing: " + missing)


def vm(*options, command=(), timeout=600, what="run"):
    """(exit status, standard output as bytes, standard error)"""
    needs_guests()
    done = subprocess.run([tap.tool("vm"), what, *KERNEL, "--build", "/nonexistent", *options,
                           "--", *command], stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=timeout, check=False)
    return done.returncode, done.stdout, done.stderr.decode(errors="replace")
