# SPDX-License-Identifier: GPL-2.0-or-later
"""What goes into a guest anew with every run: keytrail as built, tests, copied files, the command."""

import os
import pathlib
import re
import shlex
import subprocess

from . import cpio
from .common import ROOT, Failure, cache_dir, digest, locked, run, say, tool

# program in the build directory -> where `make install` puts it
PROGRAMS = {
    "keytraild": "usr/local/sbin/keytraild",
    "keytrail": "usr/local/bin/keytrail",
    "keytrail-scan": "usr/local/libexec/keytrail/keytrail-scan",
}
AGENT = ROOT / "tests/vm/guest/agent.c"


def agent():
    """The program that runs the command in a guest, static; built once per source."""
    place = cache_dir() / f"agent-{digest(AGENT)}"
    with locked("agent"):
        if not place.exists():
            new = place.with_suffix(".new")
            run([os.environ.get("CC", "gcc"), "-std=gnu11", "-D_GNU_SOURCE", "-O2", "-static",
                 "-o", new, AGENT])
            new.rename(place)
    return place


def libraries(programs):
    """Paths of the shared libraries (and of the loader) that these programs need."""
    found = set()
    for program in programs:
        done = subprocess.run([tool("ldd"), str(program)], capture_output=True, text=True,
                              check=False)
        if done.returncode:
            continue  # static, or a script
        if "not found" in done.stdout:
            raise Failure(f"{program}: {re.search(r'.*not found', done.stdout).group().strip()}")
        found.update(re.findall(r"(/\S+) \(0x", done.stdout))
    return sorted(found)


def is_dynamic(path):
    """Whether a file is an ELF program that wants a loader."""
    with open(path, "rb") as handle:
        return handle.read(4) == b"\x7fELF"


def copies(specs):
    """[(source, destination)] of --copy FILE:DEST; a DEST that ends in / names a directory."""
    out = []
    for spec in specs:
        source, colon, dest = spec.rpartition(":")
        if not colon or not dest.startswith("/"):
            raise Failure(f"--copy {spec}: want FILE:/DESTINATION", 2)
        path = pathlib.Path(source)
        if not path.exists():
            raise Failure(f"--copy {spec}: no such file: {source}", 2)
        out.append((path, dest + path.name if dest.endswith("/") else dest))
    return out


def add_keytrail(archive, prefix, build, with_libraries):
    """keytrail as built, the default policy, the tests and their programs, below prefix."""
    programs, lacking = [], []
    for name, dest in PROGRAMS.items():
        if (build / name).exists():
            archive.add_file(prefix + dest, build / name)
            programs.append(build / name)
        else:
            lacking.append(name)
    if lacking:
        say(f"{', '.join(lacking)} not built in {build}; the guest goes without")
    for policy in sorted((ROOT / "policy").glob("*.yaml")):
        archive.add_file(f"{prefix}usr/local/share/keytrail/policy.d/{policy.name}", policy)
    tests = ROOT / "tests/vm"
    for path in sorted(tests.rglob("*")):
        below = path.relative_to(tests)
        if path.is_file() and below.parts[0] not in ("guest", "ways"):
            archive.add_file(f"{prefix}kt/tests/{below}", path)
    for way in sorted((build / "tests/vm/ways").glob("*")):
        if way.is_file() and is_dynamic(way) and os.access(way, os.X_OK):
            archive.add_file(f"{prefix}kt/ways/{way.name}", way)
    return libraries(programs) if with_libraries else []


def add_copies(archive, prefix, pairs):
    """Files and directories of --copy."""
    for source, dest in pairs:
        if source.is_dir():
            archive.add_tree(prefix + dest.lstrip("/"), source)
        else:
            archive.add_file(prefix + dest.lstrip("/"), source)


def make(place, image, build, command, copy_specs, pty):
    """Writes the cpio of one run. In a Debian guest its files go below /payload, from where init
    carries them over to the real root."""
    prefix = "" if image == "mini" else "payload/"
    pairs = copies(copy_specs)
    with cpio.Archive(place) as archive:
        archive.add_file(prefix + "kt/agent", agent())
        archive.add_bytes(prefix + "kt/command", (
            "#!/bin/sh\n# The command of this run.\nexec " + shlex.join(command) + "\n").encode(),
            0o755)
        if pty:
            archive.add_bytes(prefix + "kt/pty", b"")
            archive.add_bytes(prefix + "kt/environment", b"KT_AGENT_FLAGS=--pty\n")
        libs = add_keytrail(archive, prefix, build, image == "mini")
        if image == "mini":
            libs = set(libs) | set(libraries(s for s, _ in pairs if s.is_file() and is_dynamic(s)))
        for lib in sorted(libs):
            archive.add_file(lib, os.path.realpath(lib))
        add_copies(archive, prefix, pairs)
