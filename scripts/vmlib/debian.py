# SPDX-License-Identifier: GPL-2.0-or-later
"""The Debian image: bookworm with systemd, rsyslog and sshd on an ext4 disk, built without docker.

It is built once per recipe (package list, customisation) and never written to: guests write to a
snapshot that goes with them.
"""

import os
import shlex
import shutil

from . import apt
from .common import ROOT, Failure, cache_dir, digest, forget_old, locked, run, say, scratch

SUITE = "bookworm"
GUEST = ROOT / "tests/vm/guest"
PACKAGES = GUEST / "packages-debian"
CUSTOMIZE = GUEST / "customize-debian"
SIZE = "3G"  # sparse
MEM = 1536
TIMEOUT = 300


def packages():
    """Names in the package list."""
    lines = PACKAGES.read_text().splitlines()
    return [word for line in lines if not line.startswith("#") for word in line.split()]


def image():
    """Path of the disk image, made once per recipe."""
    recipe = digest("1", SUITE, SIZE, PACKAGES, CUSTOMIZE)
    place = cache_dir() / "images" / f"debian-{recipe}.ext4"
    with locked("debian"):
        if not place.exists():
            place.parent.mkdir(exist_ok=True)
            say(f"building the Debian image ({len(packages())} packages and theirs); "
                "once, a minute or two")
            make(place)
            say(f"Debian image built: {place.name}")
        forget_old("images/debian-*.ext4", place)
    return place


def as_root(argv):
    """The same command, with sudo for who is not root: owners in the tree have to be real."""
    if os.geteuid() == 0:
        return argv
    if not shutil.which("sudo"):
        raise Failure("building the Debian image needs root or sudo, once: scripts/vm image debian",
                      77)
    # In the background nobody answers, and sudo would wait for its terminal for ever.
    return ["sudo", *argv] if os.isatty(0) else ["sudo", "-n", *argv]


def proxy_options():
    """The proxy of this machine's apt, if it has one; mmdebstrap starts from nothing."""
    out = []
    for line in run(["apt-config", "dump", "Acquire::http::Proxy",
                     "Acquire::https::Proxy"]).splitlines():
        if line.strip():
            out.append("--aptopt=" + line.strip())
    return out


def make(place):
    """Bootstraps the tree and puts it into an ext4 image."""
    with scratch() as tmp:
        tmp.chmod(0o755)
        tree = tmp / "tree"
        argv = as_root([
            "mmdebstrap", "--variant=minbase", "--mode=root", "--format=directory",
            "--architectures=amd64", "--include=" + ",".join(packages()),
            "--aptopt=Acquire::Retries \"3\"", "--aptopt=APT::Install-Recommends \"false\"",
            "--dpkgopt=force-unsafe-io",
            "--dpkgopt=path-exclude=/usr/share/man/*", "--dpkgopt=path-exclude=/usr/share/doc/*",
            "--dpkgopt=path-exclude=/usr/share/locale/*", "--dpkgopt=path-exclude=/usr/share/info/*",
            *proxy_options(),
            "--customize-hook=" + shlex.quote(str(CUSTOMIZE)) + ' "$1"',
            SUITE, str(tree), *apt.sources([SUITE, SUITE + "-security"])])
        for attempt in range(apt.TRIES):
            try:
                run(argv)
                break
            except Failure as failure:
                run(as_root(["rm", "-rf", str(tree)]))
                if failure.code == 69 or attempt + 1 == apt.TRIES:  # 69: a tool that is not there
                    raise
                say("bootstrapping failed; trying again")
        disk = tmp / "disk"
        run(as_root(["mke2fs", "-q", "-t", "ext4", "-L", "root", "-m", "0", "-E",
                     "lazy_itable_init=0,lazy_journal_init=0", "-d", str(tree), str(disk), SIZE]))
        if os.geteuid() != 0:
            run(as_root(["chown", f"{os.getuid()}:{os.getgid()}", str(disk)]))
        run(as_root(["rm", "-rf", str(tree)]))
        disk.rename(place)
