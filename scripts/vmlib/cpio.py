# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes an initramfs (cpio, "newc"), without being root and the same bytes for the same files."""

import os
import pathlib
import stat


class Archive:
    """Files go in by add_*; parents are made on the way; close() ends the archive."""

    def __init__(self, path):
        self.out = open(path, "wb")
        self.seen = {}
        self.ino = 0

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        if exc[0] is None:
            self._entry("TRAILER!!!", 0)
        self.out.close()

    def _entry(self, name, mode, data=b"", rdev=(0, 0)):
        self.ino += 1
        raw = name.encode() + b"\0"
        fields = (self.ino, mode, 0, 0, 1, 0, len(data), 0, 0, rdev[0], rdev[1], len(raw), 0)
        head = b"070701" + b"".join(b"%08X" % f for f in fields) + raw
        self.out.write(head + b"\0" * (-len(head) % 4) + data + b"\0" * (-len(data) % 4))

    def _parents(self, name):
        for parent in reversed(pathlib.PurePath(name).parents):
            if str(parent) not in (".", "") and str(parent) not in self.seen:
                self.add_dir(str(parent))

    def add_dir(self, name, mode=0o755):
        """A directory; adding it again changes nothing."""
        name = name.strip("/")
        if name in self.seen:
            return
        self._parents(name)
        self.seen[name] = "dir"
        self._entry(name, stat.S_IFDIR | mode)

    def add_bytes(self, name, data, mode=0o644):
        """A file with this content."""
        name = name.strip("/")
        self._parents(name)
        self.seen[name] = "file"
        self._entry(name, stat.S_IFREG | mode, data)

    def add_link(self, name, target):
        """A symbolic link."""
        name = name.strip("/")
        self._parents(name)
        self.seen[name] = "link"
        self._entry(name, stat.S_IFLNK | 0o777, target.encode())

    def add_console(self):
        """/dev/console, which the kernel opens for init before anything is mounted."""
        self.add_dir("dev")
        self._entry("dev/console", stat.S_IFCHR | 0o600, rdev=(5, 1))

    def add_file(self, name, source):
        """A file of the host, with its mode."""
        source = pathlib.Path(source)
        self.add_bytes(name, source.read_bytes(), stat.S_IMODE(source.stat().st_mode))

    def add_tree(self, name, source):
        """A directory of the host with all that is below it; name "" is the archive's root."""
        for top, dirs, files in os.walk(source):
            dirs.sort()
            below = os.path.relpath(top, source)
            base = name.strip("/") if below == "." else os.path.join(name.strip("/"), below)
            if base:
                self.add_dir(base, stat.S_IMODE(os.stat(top).st_mode))
            for entry in sorted(files) + [d for d in dirs if os.path.islink(os.path.join(top, d))]:
                path = os.path.join(top, entry)
                if os.path.islink(path):
                    self.add_link(os.path.join(base, entry), os.readlink(path))
                else:
                    self.add_file(os.path.join(base, entry), path)
