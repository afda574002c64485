# SPDX-License-Identifier: GPL-2.0-or-later
"""What goes into a guest anew with every run: keytrail as built, tests, copied files, the command."""

import os
import pathlib
import re
import shlex
import subprocess

from . import cpio
from .common import ROOT, Failure, cache_dir, digest, locked, run, say, scratch, tool

PROGRAMS = ("keytraild", "keytrail", "keytrail-scan", "keytrail-scan-dump",
            "keytrail-search")
# Programs of this machine that the mini guest gets, with their libraries: tests read JSON and make
# keys. The Debian guest has its own.
BORROWED = ("jq", "ssh-keygen", "openssl", "mkfs.btrfs", "mkfs.ext4", "mkfs.xfs")
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


def libraries(programs, beside=()):
    """Paths of the shared libraries (and of the loader) that these programs need, but for those in
    the directories `beside`, which are brought along."""
    found = set()
    env = dict(os.environ, LD_LIBRARY_PATH=":".join(map(str, beside))) if beside else None
    for program in programs:
        done = subprocess.run([tool("ldd"), str(program)], capture_output=True, text=True,
                              check=False, env=env)
        if done.returncode:
            continue  # static, or a script
        if "not found" in done.stdout:
            raise Failure(f"{program}: {re.search(r'.*not found', done.stdout).group().strip()}")
        found.update(re.findall(r"(/\S+) \(0x", done.stdout))
    return sorted(lib for lib in found if pathlib.Path(lib).parent not in beside)


def is_elf(path):
    """Whether a file is a program or library that may want others."""
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


def make_env():
    """The environment for a make of our own, whatever make may have called us."""
    return {k: v for k, v in os.environ.items()
            if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES")}


def build(where):
    """Brings keytrail and the tests' programs up to date."""
    run(["make", "-C", ROOT, "--no-print-directory", f"-j{os.cpu_count() or 1}",
         f"BUILD={where}", "all", "ways"], env=make_env())


def install(where, into):
    """keytrail as `make install` lays it, from what is built now: nothing is built anew.
    Returns its programs; none when they are not built yet."""
    lacking = [name for name in PROGRAMS if not (where / name).exists()]
    if lacking:
        say(f"{', '.join(lacking)} not built in {where}; the guest goes without keytrail")
        return []
    run(["make", "-C", ROOT, "--no-print-directory", "-o", "install-check", "install",
         f"BUILD={where}", f"DESTDIR={into}"], env=make_env())
    return [p for p in into.rglob("*") if p.is_file() and p.name in PROGRAMS and is_elf(p)]


def add_tests(archive, prefix, where, tests):
    """The tests, as /kt/tests, and their programs, as /kt/ways."""
    tests = pathlib.Path(tests)
    for path in sorted(tests.rglob("*")):
        below = path.relative_to(tests)
        if path.is_file() and below.parts[0] not in ("guest", "ways"):
            archive.add_file(f"{prefix}kt/tests/{below}", path)
    for way in sorted((where / "tests/vm/ways").glob("*")):
        if way.is_file() and os.access(way, os.X_OK) and is_elf(way):
            archive.add_file(f"{prefix}kt/ways/{way.name}", way)


def add_copies(archive, prefix, pairs):
    """Files and directories of --copy."""
    for source, dest in pairs:
        if source.is_dir():
            archive.add_tree(prefix + dest.lstrip("/"), source)
        else:
            archive.add_file(prefix + dest.lstrip("/"), source)


def make(place, image, where, command, copy_specs, pty, tests, peer=None):
    """Writes the cpio of one run. In a Debian guest its files go below /payload, from where init
    carries them over to the real root. peer: which guest of a link it is (link.Peer), if of one."""
    prefix = "" if image == "mini" else "payload/"
    pairs = copies(copy_specs)
    with scratch() as tmp, cpio.Archive(place) as archive:
        archive.add_file(prefix + "kt/agent", agent())
        before = "sh /kt/link || exit\n" if peer else ""
        archive.add_bytes(prefix + "kt/command", (
            f"#!/bin/sh\n# The command of this run.\n{before}exec {shlex.join(command)}\n").encode(),
            0o755)
        for path, text in (peer.files() if peer else {}).items():
            archive.add_bytes(prefix + path, text.encode())
        if pty:
            archive.add_bytes(prefix + "kt/pty", b"")
            archive.add_bytes(prefix + "kt/environment", b"KT_AGENT_FLAGS=--pty\n")
        programs = install(where, tmp)
        if image == "mini":
            borrowed = [pathlib.Path(tool(name)) for name in BORROWED]
            for program in borrowed:
                archive.add_file(f"usr/bin/{program.name}", program)
            programs += borrowed + [s for s, _ in pairs if s.is_file() and is_elf(s)]
            beside = {s.parent for s, _ in pairs if ".so" in s.suffixes}
            for lib in libraries(programs, beside):
                archive.add_file(lib, os.path.realpath(lib))
        archive.add_tree(prefix, tmp)
        add_tests(archive, prefix, where, tests)
        add_copies(archive, prefix, pairs)
