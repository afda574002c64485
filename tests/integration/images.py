#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Why the image of a container is not known: what keytraild (tests/fed) and `keytrail explain` say.

	images.py KEYTRAIL FED-DIRECTORY

In a mount namespace of its own, in which containerd has a container of kubernetes, and a process has that
container's cgroup. The daemon is fed by a pipe that does not end before it was asked. Needs root.

Prints one line per check; exits 0 if all hold.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time

KEYTRAIL, FED = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
HOST = f"{FED}/host"
POD = "3f" * 32
CGROUP = f"/kubepods/burstable/pod1/{POD}"
BUNDLE = f"/run/containerd/io.containerd.runtime.v2.task/k8s.io/{POD}"
CONFIG = f"{BUNDLE}/config.json"
LIMIT = 60  # seconds for anything that is waited for
failed = 0


def check(name, ok, detail=""):
    global failed
    failed += not ok
    detail = f": {detail}" if detail and not ok else ""
    print(f"{'ok  ' if ok else 'FAIL'} images: {name}{detail}", flush=True)


def run(*args):
    result = subprocess.run([KEYTRAIL, *args], capture_output=True, timeout=LIMIT, check=False)
    return result.returncode, result.stdout.decode(), result.stderr.decode()


def config(mode):
    """What containerd writes into a container's bundle."""
    os.makedirs(BUNDLE, exist_ok=True)
    with open(CONFIG, "w", encoding="ascii") as f:
        json.dump({"annotations": {"io.kubernetes.cri.container-type": "container",
                                   "io.kubernetes.cri.image-name": "q.io/pod:1"}}, f)
    os.chmod(CONFIG, mode)


def explain(directory):
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as process:
        with open(f"{directory}/cgroup", "w", encoding="ascii") as f:
            f.write(f"0::{CGROUP}\n")
        place = f"/proc/{process.pid}/cgroup"
        subprocess.run(["mount", "--bind", f.name, place], check=True)
        asked = ("explain", "-p", f"{directory}/policy.yaml", str(process.pid))
        said = {}
        for mode in (0o666, 0o600):
            config(mode)
            said[mode] = run(*asked)
        shutil.rmtree(BUNDLE)
        said["gone"] = run(*asked)
        subprocess.run(["umount", place], check=True)
        process.stdin.close()
    line = f"  image is not known: {CONFIG} can be written by others than root\n"
    code, text, errors = said[0o666]
    check("explain names the file that does not count, and why",
          code == 0 and f"  container: {POD}\n  image: -\n  image id: -\n{line}" in text, text + errors)
    code, text, errors = said[0o600]
    check("explain names the image where it is known, and no file",
          code == 0 and "  image: q.io/pod:1\n" in text and "not known" not in text, text + errors)
    code, text, errors = said["gone"]
    check("explain complains of nothing where nothing is",
          code == 0 and "  image: -\n" in text and "not known" not in text, text + errors)


class Daemon:
    """Fed with starts of programs in that container, one after the other."""

    def __init__(self, directory):
        shutil.rmtree(HOST, ignore_errors=True)
        os.mkdir(HOST)
        self.log = open(f"{directory}/log", "wb")
        self.process = subprocess.Popen(
            [f"{FED}/keytraild", "--policy", f"{directory}/policy.yaml"], stdin=subprocess.PIPE,
            stdout=self.log, stderr=self.log, env={**os.environ, "FED_PROGRESS": f"{HOST}/progress"})
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.feed)
        self.thread.start()

    def put(self, **event):
        self.process.stdin.write(json.dumps(event).encode() + b"\n")
        self.process.stdin.flush()

    def feed(self):
        try:
            self.put(format="keytrail-trace", version=3, host="h", boot_id="0", policy="p",
                     wall_offset=1700000000 * 10**9)
            pid = 1000
            while not self.over.is_set():
                pid += 1
                now = pid * 10**9  # so that each is a turn of the daemon's loop
                self.put(t="exec", time=now, pid=pid, start=now, exec_id=1, exe_ino=77, exe_dev=8,
                         exe="/usr/bin/true", cgroup=CGROUP)
            self.process.stdin.close()
        except BrokenPipeError:
            pass

    def status(self, holds):
        """The first status of whose images that holds; the last one, or {}, if none does. The first may
        be asked for before the daemon listens."""
        said, until = {}, time.monotonic() + LIMIT
        while self.process.poll() is None and time.monotonic() < until:
            code, text, _ = run("status", "--json", f"--socket={HOST}/RUN/control.sock")
            said = json.loads(text) if code == 0 else {}
            if said and holds(said["images"]):
                break
        return said

    def end(self):
        self.over.set()
        self.thread.join()
        self.log.close()
        return self.process.wait()


def warnings_of(said):
    return [line for line in said.get("warnings", []) if "image" in line]


def status(directory):
    config(0o666)
    daemon = Daemon(directory)
    said = daemon.status(lambda images: "refused" in images)
    images = said.get("images", {})
    check("the status has the container, the file and the cause",
          images.get("refused") == {"container": POD, "path": CONFIG, "cause": "writable"}
          and images["known"] == 0 and images["unknown"] > 0, images)
    check("and warns of it",
          warnings_of(said) == [f"the image of container {POD[:12]} is not known: {CONFIG} "
                                "can be written by others than root"], warnings_of(said))
    config(0o600)
    said = daemon.status(lambda images: images["known"] == 1)
    images = said.get("images", {})
    check("once it is mended the image is known, and nothing more is said",
          images.get("known") == 1 and "refused" not in images and not warnings_of(said),
          (images, warnings_of(said)))
    with open(f"{directory}/log", encoding="utf-8", errors="replace") as f:
        check("the daemon ends well", daemon.end() == 0, f.read())


if os.geteuid() != 0:
    print("SKIP images: needs root for a mount namespace")
    sys.exit(77)
if "KT_APART" not in os.environ:
    apart = subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "tmpfs", "/run"], capture_output=True,
                           check=False)
    if apart.returncode:
        print(f"SKIP images: no mount namespace here: {apart.stderr.decode().strip()}")
        sys.exit(77)
    os.execvpe("unshare", ["unshare", "-m", sys.executable, *sys.argv], {**os.environ, "KT_APART": "1"})
subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run"], check=True)
with tempfile.TemporaryDirectory(prefix="keytrail-images-") as top:
    with open(f"{top}/policy.yaml", "w", encoding="ascii") as policy:
        policy.write("""version: 1
settings: {canary_s: 0, discover: {content: off, homes: off}}
watch:
  - {name: keys, class: ssh-user-key, paths: ["/k/**"]}
""")
    explain(top)
    status(top)
sys.exit(failed > 0)
