# SPDX-License-Identifier: GPL-2.0-or-later
"""Kernels for the guests: Debian's cloud kernels, the newest of each line, kept in the cache.

A line is what a person asks for ("6.1", "7.x"); a release is what it stands for today
("6.1.0-50-cloud-amd64"). In the cache: lines/<line>.json names the release,
kernels/<release>/ has vmlinuz, config (if the package has one) and debs/.
"""

import json
import re
import shutil
import time

from . import apt
from .common import Failure, cache_dir, locked, replace_dir, run, say, scratch

FLAVOUR = "cloud-amd64"
FRESH_DAYS = 7

# line -> the suites that have it, the version prefix of its releases
LINES = {
    "5.10": (["bullseye", "bullseye-security"], "5.10."),
    "6.1": (["bookworm", "bookworm-security"], "6.1."),
    "6.12": (["bookworm-backports"], "6.12."),
    "6.x": (["trixie-backports"], "6."),
    "7.x": (["trixie-backports"], "7."),
}
MATRIX = list(LINES)
# Debian 12's own kernel is the one that the project is for: without it nothing is proved.
NEVER_SKIPPED = ("6.1",)


class Unavailable(Failure):
    """This kernel cannot be had now; a matrix skips it with this reason."""


class Kernel:
    """One kernel in the cache."""

    def __init__(self, line, release):
        self.line = line
        self.release = release
        self.dir = cache_dir() / "kernels" / release
        self.vmlinuz = self.dir / "vmlinuz"
        self.debs = sorted((self.dir / "debs").glob("*.deb"))

    @property
    def short(self):
        """5.10, 6.19: for the head of a table."""
        return ".".join(re.match(r"(\d+)\.(\d+)", self.release).groups())

    @property
    def lacks(self):
        """Packages of it that the archive no longer has, '' if none: then it has no modules."""
        note = self.dir / "lacks"
        return note.read_text().strip() if note.exists() else ""

    def complete(self):
        """Whether what could be had of it is in the cache."""
        return self.vmlinuz.exists() and bool(self.debs)


def suites_of(line):
    """(suites, prefix) of a line; any other "N.M" is looked for in trixie-backports."""
    if line in LINES:
        return LINES[line]
    if re.fullmatch(r"\d+\.\d+", line):
        return ["trixie-backports"], line + "."
    raise Failure(f"no such kernel: {line} (known: {' '.join(MATRIX)}, or N.M of trixie-backports)",
                  2)


def sort_key(name):
    """Orders releases by number: 6.1.0-9 before 6.1.0-50, 6.9 before 6.12."""
    return [int(n) for n in re.findall(r"\d+", name)]


def cached(line):
    """The kernel of a line that the cache holds, or None; and its age in days."""
    note = cache_dir() / "lines" / f"{line}.json"
    try:
        kernel = Kernel(line, json.loads(note.read_text())["release"])
        age = (time.time() - note.stat().st_mtime) / 86400
    except (OSError, ValueError, KeyError):
        return None, 0
    return (kernel, age) if kernel.complete() else (None, 0)


def parts_of(source, image):
    """(packages, missing): an image package with the parts it is split into, and the parts of it
    that the archive names but no longer has (it keeps old binaries longer than old modules)."""
    release = image[len("linux-image-"):]
    parts, missing, todo = [], [], [image]
    while todo:
        name = todo.pop()
        parts.append(name)
        for dep in source.depends(name):
            bare = dep.strip("<>")
            if not bare.endswith("-" + release) or bare in parts + missing + todo:
                continue
            if dep != bare and bare.startswith("linux-base-"):
                continue  # documentation and configuration: not missed
            (missing if dep != bare else todo).append(bare)
    return parts, missing


def newest(source, prefix):
    """(release, packages, missing) of the newest kernel of a line; release None: there is none.

    One whose modules are gone comes last: it boots, but has no file system of the kind that tests
    want. Newer ones that were passed over are named.
    """
    pattern = rf"^linux-image-{re.escape(prefix)}[0-9].*-{FLAVOUR}$"
    images = sorted((n for n in source.names(pattern) if not n.endswith("-unsigned")),
                    key=sort_key, reverse=True)
    halves = []
    for image in images:
        parts, missing = parts_of(source, image)
        if not missing:
            if halves:
                say(f"{image} taken: newer ones are not whole in the archive "
                    f"({halves[0][0]} lacks {halves[0][2][0]})")
            return image[len("linux-image-"):], parts, []
        halves.append((image, parts, missing))
    if halves:
        image, parts, missing = halves[0]
        say(f"{image} taken without {', '.join(missing)}, which the archive no longer has")
        return image[len("linux-image-"):], parts, missing
    return None, [], []


def fetch(line):
    """Fetches the newest kernel of a line. Raises Unavailable with the reason."""
    suites, prefix = suites_of(line)
    source = apt.Apt(suites)
    complaint = source.update()
    try:
        release, packages, missing = newest(source, prefix)
    except Failure as bad:
        raise Unavailable(f"{suites[0]}: {complaint or bad}") from bad
    if not release:
        raise Unavailable(f"{suites[0]}: " + (complaint or f"has no {prefix}* kernel"))
    kernel = Kernel(line, release)
    if not kernel.complete():
        say(f"fetching kernel {release}")
        with scratch() as tmp:
            (tmp / "new/debs").mkdir(parents=True)
            try:
                debs = source.download(packages, tmp / "new/debs")
            except Failure as bad:
                raise Unavailable(f"{release}: {bad}") from bad
            for deb in debs:
                run(["dpkg-deb", "-x", deb, tmp / "root"])
            images = [*tmp.glob("root/boot/vmlinuz-*"),
                      *tmp.glob(f"root/usr/lib/modules/{release}/vmlinuz"),
                      *tmp.glob(f"root/lib/modules/{release}/vmlinuz")]
            if not images:
                raise Unavailable(f"{release}: no vmlinuz in {' '.join(packages)}")
            shutil.copy(images[0], tmp / "new/vmlinuz")
            for config in [*tmp.glob("root/boot/config-*"),
                           *tmp.glob(f"root/usr/lib/modules/{release}/config")][:1]:
                shutil.copy(config, tmp / "new/config")
            if missing:
                (tmp / "new/lacks").write_text(" ".join(missing) + "\n")
            replace_dir(tmp / "new", kernel.dir)
    note = cache_dir() / "lines" / f"{line}.json"
    note.parent.mkdir(exist_ok=True)
    note.write_text(json.dumps({"release": release, "suites": suites}) + "\n")
    forget_unnamed()
    return Kernel(line, release)


def forget_unnamed():
    """Removes kernels that no line stands for any longer."""
    named = {json.loads(note.read_text())["release"]
             for note in (cache_dir() / "lines").glob("*.json")}
    for old in (cache_dir() / "kernels").iterdir():
        if old.name not in named:
            shutil.rmtree(old, ignore_errors=True)


def get(line, refresh=False):
    """The kernel of a line, from the cache when it is fresh enough, else from the mirror.

    An unreachable mirror is no reason to stop when the cache has a kernel of that line: it is
    used, and that is said. Raises Unavailable when there is none at all.
    """
    suites_of(line)
    with locked("kernels"):
        have, age = cached(line)
        if have and age < FRESH_DAYS and not refresh:
            return have
        try:
            return fetch(line)
        except Unavailable as bad:
            if not have:
                raise
            say(f"kernel {line}: {bad}; using {have.release} from the cache")
            return have
        except Failure as bad:
            if not have:
                raise Unavailable(str(bad)) from bad
            say(f"kernel {line}: {bad}; using {have.release} from the cache")
            return have
