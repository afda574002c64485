#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""`keytrail sweep` and `keytrail doctor`, on processes and host trees that this test makes.

	doctor.py KEYTRAIL HOLDER

Two processes hold a key that was made here: one as any program does, one with all of its memory left
out of dumps and locked. No other process is looked at, and of this machine's settings nothing is
expected. Prints one line per check; exits 0 if all hold.
"""
import json
import os
import re
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import threading

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
KEYTRAIL, HOLDER = (os.path.abspath(path) for path in sys.argv[1:3])
ROOT = os.geteuid() == 0
failed = 0


def check(name, ok, detail=""):
    global failed
    failed += not ok
    detail = f": {str(detail)[-900:]}" if detail and not ok else ""
    print(f"{'ok  ' if ok else 'FAIL'} doctor: {name}{detail}", flush=True)
    return ok


def skip(name, why):
    """One line for each check that is not made, as tests/integration/run counts them."""
    print(f"SKIP doctor: {name}: {why}", flush=True)


def run(*args, **more):
    done = subprocess.run([KEYTRAIL, *map(str, args)], capture_output=True, timeout=250,
                          stdin=subprocess.DEVNULL, env={"PATH": os.environ["PATH"], "TZ": "UTC"}, **more)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def tool(*args):
    return subprocess.run(args, capture_output=True, timeout=100, check=True).stdout


class Holder:
    """A process with a key; of nobody where that can be had, so that who owns its files tells."""

    def __init__(self, folder, how, core):
        def limit():
            resource.setrlimit(resource.RLIMIT_CORE, (core, core))

        program = f"{folder}/holder"
        more = {"user": 65534, "group": 65534, "extra_groups": []} if ROOT else {}
        self.process = subprocess.Popen([program, how, f"{folder}/key.pem"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, preexec_fn=limit, cwd="/", **more)
        self.ready = self.process.stdout.readline() == b"ready\n"
        self.pid = str(self.process.pid)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()


def sweep(*args):
    code, out, err = run("sweep", "--json", *args)
    lines = [json.loads(line) for line in out.splitlines()]
    check("each line of sweep --json has its schema",
          lines and all(line["schema"] == "keytrail-sweep/1" for line in lines), out)
    return code, {line["pid"]: line for line in lines if "pid" in line}, lines[-1]["summary"], err


def places(process, name):
    return [p for k in process["keys"] if name in (k["name"], k.get("label")) for p in k["places"]]


def ids(out):
    return {f["id"] for f in json.loads(out)["findings"]}


def secrets(folder):
    """The private numbers of the key, as bytes."""
    text = tool("openssl", "pkey", "-in", f"{folder}/key.pem", "-noout", "-text").decode()
    return [bytes.fromhex(re.sub(r"[^0-9a-f]", "", body))
            for name, body in re.findall(r"^(\w+):\n((?:    [0-9a-f:]+\n)+)", text, re.M)
            if name != "modulus"]


def test_sweep(folder, plain, hidden, name):
    code, found, summary, err = sweep(plain.pid, hidden.pid)
    check("sweep finds the key in both processes", code == 1 and summary["holders"] == 2, (summary, err))
    if len(found) != 2:
        return
    of_plain, of_hidden = (found[int(h.pid)] for h in (plain, hidden))
    check("it is named as openssl and ssh-keygen name it", places(of_plain, name) and
          places(of_hidden, name), (name, [k["name"] for k in of_plain["keys"]]))
    check("in the careless process it stands in what a core has, unlocked",
          any(p["in_core"] and not p["mapping"]["locked"] for p in places(of_plain, name)), of_plain)
    check("in the careful one all of it is left out, locked and wiped in children",
          places(of_hidden, name) and
          all(not p["in_core"] and p["mapping"]["kind"] == "dontdump" and
              {"dd", "lo", "wf"} <= set(p["mapping"]["vmflags"].split(","))
              for p in places(of_hidden, name)), of_hidden)
    code, out, err = run("sweep", plain.pid)
    check("for people: the process, the key, and that it goes into a core",
          code == 1 and f"[{plain.pid}]" in out and name in out and "goes into a core" in out, out)
    parts = secrets(folder)
    told = (out + err + json.dumps(found)).encode()
    check("no output has eight bytes of the key", parts and not any(
        part[i:i + 8] in told or part[i:i + 8].hex().encode() in told.lower()
        for part in parts for i in range(len(part) - 8)))


def test_sweep_in_order(plain, hidden):
    """What holds nothing does not end the search of what comes after it."""
    with subprocess.Popen(["sleep", "600"], cwd="/") as idle:
        try:
            code, found, summary, err = sweep(plain.pid, idle.pid, hidden.pid)
        finally:
            idle.kill()
    check("a process without keys between two with them: all three are looked at",
          code == 1 and summary["looked_at"] == 3 and set(found) == {int(plain.pid), int(hidden.pid)},
          (code, summary, err))


def test_needles(folder, plain, name):
    for key, needles in (("key.pem", "ours"), ("other.pem", "others")):
        code, out, err = run("needle", "make", "--output", f"{folder}/{needles}", f"{folder}/{key}",
                             "--label", needles)
        if code:
            check(f"a needle of {key} is made", False, (code, out, err))
            return
    code, found, _, err = sweep("--needles", f"{folder}/ours", plain.pid)
    check("with its needle the key is found, and has the needle's label",
          code == 1 and len(found) == 1 and places(found[int(plain.pid)], "ours"), (code, found, err))
    code, found, _, err = sweep("--needles", f"{folder}/others", plain.pid)
    check("with the needle of another key nothing is", code == 0 and not found, (code, found, err))


def test_sweep_edges(folder, plain):
    code, _, summary, err = sweep("4194303")
    check("a process that is not there is told", code == 2 and summary["gone"] == 1 and err, (code, err))
    code, out, err = run("sweep", "x")
    check("what is no number is refused", code == 2 and "no process id: x" in err, (code, err))
    if not ROOT:
        return
    shutil.copy(KEYTRAIL, f"{folder}/keytrail")
    os.chmod(f"{folder}/keytrail", 0o755)
    done = subprocess.run([f"{folder}/keytrail", "sweep", "--json", plain.pid], capture_output=True,
                          timeout=100, user=65533, group=65533, extra_groups=[], cwd="/")
    summary = json.loads(done.stdout.splitlines()[-1])["summary"]
    check("another user is told that he may not", done.returncode == 2 and summary["denied"] == 1 and
          b"Permission denied" in done.stderr, (done.stdout, done.stderr))


def good_tree(folder):
    files = {
        "proc/sys/fs/suid_dumpable": "0\n",
        "proc/sys/kernel/core_pattern": "|/bin/false\n",
        "proc/sys/kernel/yama/ptrace_scope": "1\n",
        "proc/swaps": "Filename\n",
        "proc/self/mountinfo": "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n",
        "etc/rsyslog.conf": "*.* @@log.example.org\n",
    }
    for name, text in files.items():
        os.makedirs(os.path.dirname(f"{folder}/{name}"), exist_ok=True)
        with open(f"{folder}/{name}", "w", encoding="ascii") as f:
            f.write(text)
    return folder


def change(tree, name, text):
    with open(f"{tree}/{name}", "w", encoding="ascii") as f:
        f.write(text)


def test_host(folder):
    tree = good_tree(f"{folder}/host")
    code, out, err = run("doctor", "--root", tree, "--json")
    doc = json.loads(out)
    check("a good host: nothing found, exit 0", code == 0 and not doc["findings"] and
          not doc["not_looked_at"], (code, out, err))
    check("its JSON has schema, and says that the daemon was not asked",
          doc["schema"] == "keytrail-doctor/1" and doc["daemon"] == "not-asked", doc)
    change(tree, "proc/sys/fs/suid_dumpable", "1\n")
    change(tree, "proc/sys/kernel/core_pattern", "@/run/cores\n")
    code, out, err = run("doctor", "--root", tree, "--json")
    doc = json.loads(out)
    check("a bad one: exit 1, the worst first", code == 1 and
          [f["id"] for f in doc["findings"]] == ["suid-dumpable", "core-socket"], out)
    check("each finding has all its fields", all(
        {"id", "area", "severity", "title", "why", "evidence", "mend"} <= set(f) for f in doc["findings"]))
    code, out, err = run("doctor", "--root", tree)
    check("the same for people", code == 1 and "suid-dumpable" in out and
          "/proc/sys/fs/suid_dumpable: 1" in out and "sysctl -w fs.suid_dumpable=0" in out and
          "2 findings: 1 high, 1 low" in out, out)
    for severity, wanted in (("critical", 0), ("high", 1), ("low", 1)):
        code, _, _ = run("doctor", "--root", tree, "--fail-on", severity)
        check(f"--fail-on {severity} gives {wanted}", code == wanted, code)
    os.unlink(f"{tree}/proc/sys/kernel/core_pattern")
    change(tree, "proc/sys/fs/suid_dumpable", "0\n")
    code, out, err = run("doctor", "--root", tree)
    check("what could not be looked at is said, exit 2", code == 2 and
          "not looked at core-relative: /proc/sys/kernel/core_pattern" in out, (code, out))
    for args in (("--fail-on", "bad"), ("--needles", "x"), ("--sweep", "--root", tree),
                 ("--root", f"{folder}/nowhere")):
        code, _, err = run("doctor", *args)
        check(f"refused: doctor {' '.join(args[:2])}".replace(folder, "DIR"), code == 2 and err,
              (code, err))


LEAVES = "that may leave a core"
CARELESS = "the careless one: the key's very pages are in its core (key-in-core)"
CAREFUL = "the careful one: nothing of that, for it could be dumped as well"
LIMITED = "one whose core limit is 0 leaves none"


def test_holders(folder, plain, hidden):
    """The processes are real, what is expected of the host is its core_pattern alone."""
    with open("/proc/sys/kernel/core_pattern", encoding="utf-8") as f:
        pattern = f.read().strip()
    helper = pattern.startswith("|") or not pattern
    quiet = ("doctor", "--json", f"--socket={folder}/nobody")
    code, out, err = run(*quiet, "--pid", plain.pid)
    doc = json.loads(out)
    check("without a daemon: a finding, and exit 1", code == 1 and doc["daemon"] == "away" and
          "daemon-off" in ids(out), (code, out, err))
    holder = doc["holders"][0]
    check("what is told of a process", holder["core_limit"] == "unlimited" and not holder["swept"] and
          holder["dumpable"] == "yes", holder)
    if helper:
        for name in (LEAVES, CARELESS, CAREFUL, LIMITED):
            skip(name, f"is about cores in files, and core_pattern is {pattern!r}")
        return
    check(LEAVES, "holder-dumpable" in ids(out), out)
    code, out, err = run(*quiet, "--pid", plain.pid, "--sweep")
    key = [f for f in json.loads(out)["findings"] if f["id"] == "key-in-core"]
    check(CARELESS, code == 1 and len(key) == 1 and
          key[0]["pid"] == int(plain.pid) and key[0]["severity"] == "high", (code, out, err))
    code, out, err = run(*quiet, "--pid", hidden.pid, "--sweep")
    check(CAREFUL,
          json.loads(out)["holders"][0]["core_limit"] == "unlimited" and
          not ids(out) & {"key-in-core", "holder-dumpable", "key-swappable", "key-inherited"},
          (code, out, err))
    with Holder(folder, "plain", 0) as limited:
        code, out, err = run(*quiet, "--pid", limited.pid, "--sweep")
        check(LIMITED, not ids(out) &
              {"key-in-core", "holder-dumpable", "core-limit-soft"}, (code, out, err))


def ask_daemon(folder, answers, *args):
    """doctor, with a daemon that gives these answers."""
    path = f"{folder}/control.sock"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()

    def serve():
        for _ in range(2):
            connection, _ = listener.accept()
            with connection:
                what = json.loads(connection.makefile().readline())["do"]
                connection.sendall((json.dumps({"v": 1, "id": 0, "ok": True, "do": what,
                                                "result": answers[what]}) + "\n").encode())

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    result = run("doctor", "--json", f"--socket={path}", *args)
    thread.join(20)
    listener.close()
    os.unlink(path)
    return result


def test_daemon(folder, plain):
    """A daemon that this test plays names the holder."""
    with open(f"/proc/{plain.pid}/stat", encoding="ascii") as f:
        ticks = int(f.read().rsplit(")", 1)[1].split()[19])
    tick = 1000000000 // os.sysconf("SC_CLK_TCK")
    key = {"path": "/srv/key.pem", "fingerprint": "SHA256:abc", "type": "RSA", "bits": 2048}
    answers = {
        "status": {"objects": {"total": 2}, "scan": {"on": True}, "canary": {"blind": True}},
        "holders": {"left_out": 0, "holders": [
            {"pid": int(plain.pid), "start": ticks * tick + 5, "nr_keys": 1, "keys": [key]},
            {"pid": os.getpid(), "start": 1, "nr_keys": 1, "keys": [key]},  # was another's number
            {"pid": os.getppid(), "start": 1, "nr_keys": 0, "keys": []},  # has read a dump
        ]},
    }
    code, out, err = ask_daemon(folder, answers)
    doc = json.loads(out)
    check("holders are those that the daemon names, if they still are who they were",
          [h["pid"] for h in doc["holders"]] == [int(plain.pid)] and
          doc["holders"][0]["keys"][0]["name"] == "SHA256:abc" and
          doc["holders"][0]["keys"][0]["label"] == "/srv/key.pem", (out, err))
    check("what the daemon does not see is found", code == 1 and "sensor-blind" in ids(out) and
          "daemon-off" not in ids(out), out)
    answers["status"].pop("canary")
    answers["holders"]["left_out"] = 7
    code, out, err = ask_daemon(folder, answers, "--fail-on", "critical")
    check("holders that the daemon had no room for were not looked at: said, exit 2",
          code == 2 and "7 more" in err and
          ["holders of keytraild: 7 left out"] == [f["evidence"]["path"] for f in
          json.loads(out)["not_looked_at"] if f["area"] == "holder"], (code, out, err))


def test_documents():
    code, out, _ = run("doctor", "--list")
    listed = [line.split(None, 3) for line in out.splitlines()]
    with open(f"{TOP}/docs/doctor.md", encoding="utf-8") as f:
        rows = re.findall(r"^\| `([a-z-]+)` \| (\w+) \| ", f.read(), re.M)
    check("docs/doctor.md has each check with its severity", code == 0 and
          sorted(rows) == sorted((c[0], c[1]) for c in listed), sorted(
              set(rows) ^ {(c[0], c[1]) for c in listed}))


def main():
    test_documents()
    with tempfile.TemporaryDirectory(prefix="keytrail-doctor-") as folder:
        os.chmod(folder, 0o755)
        test_host(folder)
        for name in ("key", "other"):
            tool("openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out",
                 f"{folder}/{name}.pem")
            os.chmod(f"{folder}/{name}.pem", 0o644)
        public = tool("openssl", "pkey", "-in", f"{folder}/key.pem", "-pubout")
        with open(f"{folder}/key.pub", "wb") as f:
            f.write(public)
        line = tool("ssh-keygen", "-i", "-m", "PKCS8", "-f", f"{folder}/key.pub")
        with open(f"{folder}/ssh.pub", "wb") as f:
            f.write(line)
        name = tool("ssh-keygen", "-lf", f"{folder}/ssh.pub").split()[1].decode()
        shutil.copy(HOLDER, f"{folder}/holder")
        os.chmod(f"{folder}/holder", 0o755)
        unlimited = resource.RLIM_INFINITY if ROOT else resource.getrlimit(resource.RLIMIT_CORE)[1]
        if unlimited != resource.RLIM_INFINITY:
            skip("all that is asked of processes", "the hard limit of cores is not unlimited here")
            return
        with Holder(folder, "plain", unlimited) as plain, Holder(folder, "hidden", unlimited) as hidden:
            if not check("both processes have the key", plain.ready and hidden.ready):
                return
            test_sweep(folder, plain, hidden, name)
            test_sweep_in_order(plain, hidden)
            test_needles(folder, plain, name)
            test_sweep_edges(folder, plain)
            test_holders(folder, plain, hidden)
            test_daemon(folder, plain)


main()
sys.exit(failed > 0)
