#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""keytrail-search as the daemon uses it: over its socket, shut in, on trees that this test makes.

	search.py KEYTRAIL-SEARCH

Prints one line per check; exits 0 if all hold.
"""
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile

PROGRAM = os.path.abspath(sys.argv[1])
ROOT = os.geteuid() == 0
BEGIN, TREE, END, ANSWER, NEXT, FILE, COUNTS, DONE = range(1, 9)
WHOLE, FORGET = 1, 2
# struct search_message (user/search/channel.h)
MESSAGE = struct.Struct("=Ii4I6QI4xQQ4096s")
KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nnot one, but it begins so\n"
failed = 0


def check(name, ok, detail=""):
    global failed
    failed += not ok
    detail = f": {str(detail)[-600:]}" if detail and not ok else ""
    print(f"{'ok  ' if ok else 'FAIL'} search: {name}{detail}", flush=True)


class Child:
    def __init__(self):
        self.socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.process = subprocess.Popen([PROGRAM, "serve"], stdin=theirs, env={})
        theirs.close()
        self.socket.settimeout(60)

    def say(self, word, value=0, path=b"", limits=(100000, 100000, 65536, 100000)):
        self.socket.send(MESSAGE.pack(word, value, *limits, *[0] * 9, path))

    def hear(self):
        fields = MESSAGE.unpack(self.socket.recv(MESSAGE.size))
        return {"word": fields[0], "names": fields[6], "opened": fields[8],
                "unreadable": fields[10], "mounts": fields[11], "dev": fields[13], "ino": fields[14],
                "path": os.fsdecode(fields[15].split(b"\0")[0])}

    def search(self, trees, flags=0, answer=0):
        """Paths that it asked about, and the last counts."""
        asked, trees = [], list(trees)
        self.say(BEGIN, flags)
        self.say(TREE, -1, os.fsencode(trees.pop(0)))
        while True:
            m = self.hear()
            if m["word"] == FILE:
                asked.append(m["path"])
                st = os.stat(m["path"])
                if (st.st_dev, st.st_ino) != (m["dev"], m["ino"]):
                    asked.append("wrong numbers of " + m["path"])
                self.say(ANSWER, answer)
            elif m["word"] == NEXT and trees:
                self.say(TREE, -1, os.fsencode(trees.pop(0)))
            elif m["word"] == NEXT:
                self.say(END)
            elif m["word"] == DONE:
                return sorted(asked), m

    def status(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as f:
            return dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)

    def end(self):
        self.socket.close()
        return self.process.wait(60)


def put(path, text=KEY):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="ascii") as f:
        f.write(text)


def test_walls(child):
    status = child.status()
    with open(f"/proc/{child.process.pid}/limits", encoding="ascii") as f:
        data = [line.split()[3] for line in f if line.startswith("Max data size")]
    check("its memory has a limit", data == [str(256 << 20)], data)
    check("no new privileges, a filter", (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2"), status)
    if not ROOT:
        return
    with open("/etc/passwd", encoding="utf-8") as f:
        own = [line.split(":")[2:4] for line in f if line.startswith("keytrail-scan:")]
    uid, gid = own[0] if own else ("65534", "65534")
    check("it is a user of its own, or nobody", (set(status["Uid"].split()), set(status["Gid"].split())) ==
          ({uid}, {gid}), status)
    # CAP_DAC_READ_SEARCH is 2, CAP_FOWNER 3.
    caps = [int(status[name], 16) for name in ("CapEff", "CapPrm", "CapInh", "CapBnd", "CapAmb")]
    check("with two capabilities, and no way to more", caps == [12, 12, 0, 0, 0], caps)


def test_trees(folder, child):
    a, b = f"{folder}/a", f"{folder}/b"
    put(f"{a}/papers/holiday.txt")
    put(f"{a}/papers/prose", "Nothing but words, and enough of them to be looked at.\n")
    put(f"{b}/deep/er/key")
    os.chmod(f"{b}/deep", 0o700)
    os.symlink(f"{b}/deep", f"{a}/link")
    before = os.stat(f"{a}/papers/prose").st_atime_ns
    asked, done = child.search([a, b], WHOLE)
    check("keys in both trees are named", asked == [f"{a}/papers/holiday.txt", f"{b}/deep/er/key"], asked)
    check("three files were opened", done["opened"] == 3, done)
    check("a time of access is left alone", os.stat(f"{a}/papers/prose").st_atime_ns == before)

    # All is young, so it is looked at again; times are set back so that it counts as settled.
    put(f"{a}/papers/new")
    asked, _ = child.search([a, b])
    check("one that appears is named", f"{a}/papers/new" in asked, asked)
    os.remove(f"{a}/papers/new")
    shutil.rmtree(b)
    asked, _ = child.search([a, b])
    check("what is gone is no matter", asked == [f"{a}/papers/holiday.txt"], asked)
    asked, _ = child.search([f"{a}/link", f"{folder}/none", a], WHOLE)
    check("a tree that is a link is not entered", asked == [f"{a}/papers/holiday.txt"], asked)


def main():
    done = subprocess.run([PROGRAM], capture_output=True, check=False)
    check("it is not for people", done.returncode == 2 and b"keytraild" in done.stderr, done)
    with tempfile.TemporaryDirectory(prefix="keytrail-search-", dir="/var/tmp") as folder:
        folder = os.path.realpath(folder)
        child = Child()
        put(f"{folder}/a/x", "x")
        asked, _ = child.search([folder])
        check("nothing is found where nothing is", asked == [], asked)
        test_walls(child)
        test_trees(folder, child)
        check("it ends with its socket", child.end() == 0)
        child = Child()
        child.say(99)
        check("a word that is none ends it", child.process.wait(60) == 1)


main()
sys.exit(failed > 0)
