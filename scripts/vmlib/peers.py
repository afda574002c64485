# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs of Debian packages for one run in a guest, with the libraries they need; nothing is
installed. Used for other monitors, and for a compiler to measure with."""

import os
import pathlib
import re
import shutil
import subprocess

from . import apt
from .common import Failure, cache_dir, digest, locked, run, say, scratch, tool

# name in the guest -> (package, path in the package)
PROGRAMS = {
    "tcc": ("tcc", "usr/bin/tcc"),
    "auditd": ("auditd", "sbin/auditd"),
    "auditctl": ("auditd", "sbin/auditctl"),
    "fatrace": ("fatrace", "usr/sbin/fatrace"),
    "inotifywait": ("inotify-tools", "usr/bin/inotifywait"),
    "bpftrace": ("bpftrace", "usr/bin/bpftrace"),
    "opensnoop.bt": ("bpftrace", "usr/sbin/opensnoop.bt"),
}


def closure(index, names):
    """The packages, and all that they depend on and this machine's C library does not bring."""
    todo, done = list(names), set()
    while todo:
        name = todo.pop()
        if name in done or name.startswith("<") or not name.startswith(("lib", *names)):
            continue
        done.add(name)
        todo += index.depends(name)
    return sorted(done - {"libc6", "libgcc-s1"})


def fetch(names):
    """A directory with these programs and a lib/ for them, kept in the cache."""
    packages = sorted({PROGRAMS[n][0] for n in names})
    place = cache_dir() / "peers" / digest("3", *packages)
    with locked("peers"):
        if place.exists():
            return place
        index = apt.Apt(["bookworm"])
        index.update()
        with scratch() as tmp:
            say(f"fetching {' '.join(packages)}")
            for deb in index.download(closure(index, packages), tmp):
                run(["dpkg-deb", "-x", deb, tmp / "tree"])
            out = tmp / "out"
            out.mkdir()
            collect(tmp / "tree", [n for n in PROGRAMS if PROGRAMS[n][0] in packages], out)
            place.parent.mkdir(exist_ok=True)
            out.rename(place)
    return place


def find(tree, path):
    """A file of the tree, by its path with or without usr/."""
    for below in (path, "usr/" + path, path.removeprefix("usr/")):
        if (tree / below).exists():
            return tree / below
    raise Failure(f"{path} is not in its package")


def collect(tree, names, out):
    """Copies programs, and of the tree's libraries those that they load."""
    dirs = sorted({str(p.parent) for p in tree.rglob("*.so*")})
    libs = out / "lib"
    libs.mkdir()
    for name in names:
        source = find(tree, PROGRAMS[name][1])
        shutil.copy(source, out / name)
        done = subprocess.run([tool("ldd"), str(source)], capture_output=True, text=True, check=False,
                              env=dict(os.environ, LD_LIBRARY_PATH=":".join(dirs)))
        if "not found" in done.stdout:
            raise Failure(f"{name}: {re.search(r'.*not found', done.stdout).group().strip()}")
        for lib in re.findall(r"(/\S+) \(0x", done.stdout):
            if "ld-linux" not in lib and not (libs / pathlib.Path(lib).name).exists():
                shutil.copy(os.path.realpath(lib), libs / pathlib.Path(lib).name)
