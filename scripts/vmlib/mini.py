# SPDX-License-Identifier: GPL-2.0-or-later
"""The mini image: an initramfs of static busybox and a small init, the same for every kernel."""

import pathlib
import subprocess

from . import cpio
from .common import ROOT, Failure, cache_dir, digest, forget_old, locked

BUSYBOX = ("/bin/busybox", "/usr/bin/busybox")
INIT = ROOT / "tests/vm/guest/init-mini"
INIT_DEBIAN = ROOT / "tests/vm/guest/init-debian"
MEM = 1024
TIMEOUT = 120

PASSWD = """root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/:/bin/false
alice:x:1000:1000:Alice:/home/alice:/bin/sh
bob:x:1001:1001:Bob:/home/bob:/bin/sh
keytrail-scan:x:991:991::/:/bin/false
nobody:x:65534:65534:nobody:/nonexistent:/bin/false
"""
GROUP = """root:x:0:
daemon:x:1:
keytrail:x:990:
keytrail-scan:x:991:
alice:x:1000:
bob:x:1001:
nogroup:x:65534:
"""


def busybox():
    """The static busybox of this machine."""
    for path in BUSYBOX:
        if pathlib.Path(path).exists():
            done = subprocess.run(["ldd", path], capture_output=True, text=True, check=False)
            if done.returncode:
                return pathlib.Path(path)
            raise Failure(f"{path} is not static; package busybox-static has one that is", 69)
    raise Failure("busybox is missing (package busybox-static)", 69)


def image():
    """Path of the image's cpio, made once per recipe."""
    box = busybox()
    place = cache_dir() / "images" / f"mini-{digest('2', PASSWD, GROUP, INIT, INIT_DEBIAN, box)}.cpio"
    with locked("mini"):
        if not place.exists():
            place.parent.mkdir(exist_ok=True)
            make(place.with_suffix(".new"), box)
            place.with_suffix(".new").rename(place)
        forget_old("images/mini-*.cpio", place)
    return place


def make(place, box):
    """busybox under all its names, a file of users, init."""
    applets = subprocess.run([box, "--list-full"], capture_output=True, text=True, check=True)
    with cpio.Archive(place) as archive:
        archive.add_console()
        for name in ("proc", "sys", "run", "tmp", "root", "home/alice", "home/bob", "mnt",
                     "var/log", "var/lib", "etc"):
            archive.add_dir(name)
        archive.add_file("bin/busybox", box)
        for applet in applets.stdout.split():
            if applet not in ("bin/busybox", "usr/bin/busybox"):
                archive.add_link(applet, "/bin/busybox")
        archive.add_bytes("etc/passwd", PASSWD.encode())
        archive.add_bytes("etc/group", GROUP.encode())
        archive.add_bytes("etc/hostname", b"mini\n")
        archive.add_bytes("etc/os-release", b"ID=keytrail-mini\nNAME=\"keytrail mini guest\"\n")
        archive.add_bytes("init", INIT.read_bytes(), 0o755)
        # The Debian guest starts from the same initramfs, with rdinit=.
        archive.add_bytes("init-debian", INIT_DEBIAN.read_bytes(), 0o755)
