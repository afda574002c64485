# SPDX-License-Identifier: GPL-2.0-or-later
"""The ground the other modules stand on: where the cache is, how a tool is run, what is said."""

import contextlib
import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

PATIENCE = 20  # tenths of a second that a lock is waited for without a word
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


class Failure(Exception):
    """Something that the person at the keyboard has to know, in words; no stack trace."""

    def __init__(self, text, code=1):
        super().__init__(text)
        self.code = code


def cache_dir():
    """The cache, outside git: kernels, images and what they are made from."""
    named = os.environ.get("KEYTRAIL_CACHE")
    if not named:
        base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
        named = os.path.join(base, "keytrail")
    path = pathlib.Path(named)
    path.mkdir(parents=True, exist_ok=True)
    return path


def say(text):
    """One line of progress; standard output belongs to the command in the guest."""
    print(f"vm: {text}", file=sys.stderr, flush=True)


def tool(name):
    """The path of a program, also from sbin, which a plain user's PATH may not have."""
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if not found:
        raise Failure(f"{name} is missing; scripts/missing-deps --install vm (root or sudo) brings "
                      "all that the guests need", 69)
    return found


def run(argv, **kwargs):
    """Runs a tool to its end; its words are kept, and shown when it fails."""
    argv = [str(a) for a in argv]
    argv[0] = tool(argv[0])
    kwargs.setdefault("env", dict(os.environ, LC_ALL="C.UTF-8"))
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, errors="replace", **kwargs)
    if done.returncode:
        words = (done.stderr.strip() or done.stdout.strip()).splitlines()[-15:]
        raise Failure(f"{os.path.basename(argv[0])} failed ({done.returncode}): "
                      + "\n    ".join([" ".join(argv[1:])[:200]] + words))
    return done.stdout


@contextlib.contextmanager
def locked(name):
    """Held while a part of the cache is made, so that two runs do not make it twice."""
    with open(cache_dir() / f".lock-{name}", "w", encoding="ascii") as handle:
        for _ in range(PATIENCE):  # most often it is only looked up
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            time.sleep(0.1)
        else:
            say(f"waiting for another run that makes {name}")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def scratch():
    """A directory in the cache (same file system: what is made there is renamed into place)."""
    for old in cache_dir().glob(".tmp-*"):  # of a run that was killed
        with contextlib.suppress(OSError):
            if old.stat().st_mtime < time.time() - 86400:
                shutil.rmtree(old, ignore_errors=True)
    path = pathlib.Path(tempfile.mkdtemp(prefix=".tmp-", dir=cache_dir()))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def forget_old(pattern, keep, days=3):
    """Removes what an older recipe made and nobody has used since; keep is marked as used."""
    keep.touch()
    for path in cache_dir().glob(pattern):
        if path != keep and path.stat().st_mtime < time.time() - days * 86400:
            path.unlink(missing_ok=True)


def replace_dir(made, place):
    """Puts a finished directory into its place, over an older one."""
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.exists():
        shutil.rmtree(place)
    made.rename(place)


def digest(*parts):
    """A short name for content: the hash of strings and of files' bytes."""
    total = hashlib.sha256()
    for part in parts:
        data = part.read_bytes() if isinstance(part, pathlib.Path) else str(part).encode()
        total.update(hashlib.sha256(data).digest())
    return total.hexdigest()[:16]
