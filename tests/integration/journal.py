#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The evidence log over crashes: `keytrail replay --journal`, killed at random moments.

	journal.py KEYTRAIL

A replay writes into one log, is killed with SIGKILL at a random moment of its output, and another one
goes on. An alert that was shown must be in the log: it is written before it is shown. After all of it
the chain is whole. Also: a file size limit for a full disk, export, and heads out of a log of syslog
lines. Prints one line per check; exits 0 if all hold.
"""
import json
import os
import random
import re
import resource
import subprocess
import sys
import tempfile
import time

KEYTRAIL = os.path.abspath(sys.argv[1])
ROUNDS = 200
SECONDS = 150  # of the rounds, at most: ten on an idle machine
READERS = 120
failed = 0


def check(name, ok, detail=""):
    global failed
    failed += not ok
    detail = f": {detail}" if detail and not ok else ""
    print(f"{'ok  ' if ok else 'FAIL'} journal: {name}{detail}")


POLICY = """version: 1
settings: {alert_share: 1000000, alert_burst: 1000}
watch:
  - {name: keys, class: ssh-user-key, paths: ["/k/**"], allow: [{exe: /usr/bin/ssh}]}
"""


def write_trace(path, readers):
    """Each reader is a process of its own that reads a key of its own."""
    second = 1000000000
    with open(path, "w", encoding="utf-8") as f:
        header = {"format": "keytrail-trace", "version": 1, "host": "web1", "boot_id": "b",
                  "policy": "p", "wall_offset": 1700000000 * second}
        print(json.dumps(header), file=f)
        for i in range(readers):
            now = (100 + i) * second
            who = {"pid": 1000 + i, "start": now, "exec_id": 5, "tid": 1000 + i, "uid": 1000,
                   "euid": 1000, "gid": 1000, "exe_ino": 77, "exe_dev": 8388609, "comm": "cat"}
            print(json.dumps({"t": "object", "time": now, "object": i + 1, "ino": 5000 + i,
                              "dev": 8388609, "path": f"/k/{i}", "watch": "keys"}), file=f)
            print(json.dumps({"t": "access", "time": now + 1000, **who, "ino": 5000 + i,
                              "dev": 8388609, "object": i + 1, "owner": 1000,
                              "path": f"/k/{i}", "exe": "/usr/bin/cat"}), file=f)
            print(json.dumps({"t": "exit", "time": now + 2000, **who, "code": 0}), file=f)


def replay(log, policy, trace, **kwargs):
    return subprocess.Popen([KEYTRAIL, "replay", "--json", "--journal", log, "--policy", policy,
                             trace], stdout=subprocess.PIPE, stderr=subprocess.PIPE, **kwargs)


def run(*args):
    result = subprocess.run([KEYTRAIL, *args], capture_output=True, timeout=60, check=False)
    return result.returncode, result.stdout.decode(), result.stderr.decode()


def records(log):
    for name in sorted(os.listdir(log)):
        if name.endswith(".jsonl"):
            with open(f"{log}/{name}", "rb") as f:
                yield from f


def kill_at_random(directory, policy, trace):
    """Returns how many times each alert was shown, and how many rounds there were."""
    log = f"{directory}/log"
    shown = {}
    end = time.monotonic() + SECONDS
    rounds = 0
    while rounds < ROUNDS and time.monotonic() < end:
        process = replay(log, policy, trace)
        lines = 0
        stop_after = random.randrange(1, READERS)
        for line in process.stdout:
            if not line.endswith(b"\n"):
                break
            alert = json.loads(line)["id"]
            shown[alert] = shown.get(alert, 0) + 1
            lines += 1
            if lines == stop_after:
                process.kill()
        process.wait()
        process.stderr.close()
        rounds += 1
    return shown, rounds


def crashes(directory, policy, trace):
    log = f"{directory}/log"
    seed = os.environ.get("SEED") or str(random.SystemRandom().getrandbits(32))
    print(f"SEED={seed}", flush=True)
    random.seed(seed)
    shown, rounds = kill_at_random(directory, policy, trace)
    # A last one, which is not killed, tells of what the one before it left.
    last = replay(log, policy, trace)
    output, errors = last.communicate()
    for line in output.splitlines():
        alert = json.loads(line)["id"]
        shown[alert] = shown.get(alert, 0) + 1
    check("a replay after all of them ends well", last.returncode == 0, errors.decode())
    check(f"{ROUNDS} rounds in {SECONDS} s", rounds == ROUNDS, f"{rounds}")
    status, text, errors = run("verify", log)
    check("the chain is whole", status == 0, text + errors)
    written = {}
    for line in records(log):
        record = json.loads(line)
        if record["kind"] == "alert":
            written[record["id"]] = written.get(record["id"], 0) + 1
    lost = {i: n - written.get(i, 0) for i, n in shown.items() if written.get(i, 0) < n}
    check(f"none of {sum(shown.values())} alerts that were shown is missing", not lost, f"{lost}")
    check("alerts were shown at all, of each reader", len(shown) == READERS, f"{len(shown)}")


def full(directory, policy, trace):
    """A limit on the size of files stands for a full disk: write() fails in the middle of a line."""
    log = f"{directory}/full"

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (20000, resource.RLIM_INFINITY))

    # Python ignores SIGXFSZ; inherited, it lets write() fail with EFBIG instead.
    process = replay(log, policy, trace, preexec_fn=limit, restore_signals=False)
    output, errors = process.communicate()
    check("alerts go out with a full disk", len(output.splitlines()) == READERS)
    check("and the fault is said", process.returncode == 1 and b"cannot be written" in errors,
          errors.decode())
    status, text, _ = run("verify", log)
    check("what was written is whole", status == 0 and "torn" in text, text)
    process = replay(log, policy, trace)
    process.communicate()
    status, text, _ = run("verify", log)
    check("with room again the log goes on", process.returncode == 0 and status == 0, text)
    check("and tells of its torn end",
          any(json.loads(line)["kind"] == "recovered" for line in records(log)))


def images(directory):
    """What a container was made from, of who may and who may not; nothing where it is not known."""
    log = f"{directory}/images"
    script = f"{os.path.dirname(os.path.abspath(__file__))}/../replay/images"
    _, errors = replay(log, f"{script}.policy.yaml", f"{script}.trace").communicate()
    told = {record["pid"]: (record["verdict"], record.get("image"), record.get("image_id"))
            for record in map(json.loads, records(log)) if record["kind"] == "access"}
    wanted = {931: ("allow", "docker.io/library/nginx:1.25",
                    "sha256:" + "00112233445566778899aabbccddeeff" * 2),
              933: ("alert", None, None), 937: ("alert", "a, user root", None)}
    check("records of accesses say which image a container was made from",
          wanted.items() <= told.items(), f"{told} {errors.decode()}")


def heads_and_export(directory):
    log = f"{directory}/log"
    last = json.loads(list(records(log))[-1])
    first = json.loads(next(records(log)))
    with open(f"{directory}/syslog", "w", encoding="utf-8") as f:
        for record in (first, last):
            print(f'<86>1 - web1 keytraild 1 heartbeat [k@1 chain_seq="{record["seq"]}" '
                  f'chain_head="{record["hash"]}"] x', file=f)
    status, text, errors = run("verify", "--log", f"{directory}/syslog", log)
    check("heads of a log server fit", status == 0 and "2 compared" in text, text + errors)
    with open(f"{directory}/forged", "w", encoding="utf-8") as f:
        for line in (f'<13>1 - web1 mallory 1 - [k@1 chain_seq="999999" chain_head="{"a" * 64}"] x',
                     f'<13>1 - web1 keytraild 1 x - chain_seq="999999" chain_head="{"a" * 64}"',
                     f'<13>1 - web1 keytraild 1 x [k@1 a="\\" chain_seq=\\"9\\""] '
                     f'chain_seq="999999" chain_head="{"a" * 64}"'):
            print(line, file=f)
    status, _, errors = run("verify", "--log", f"{directory}/forged", log)
    check("what only looks like a head is none", status == 2 and "has no head" in errors, errors)
    status, text, _ = run("export", "--key", "nobody", log)
    check("an export of a key that is not there is empty", status == 0 and not text)
    status, text, _ = run("export", log)
    check("an export is the log, byte for byte", text.encode() == b"".join(records(log)))
    selection = f"{directory}/selection"
    with open(selection, "w", encoding="utf-8") as f:
        f.writelines(line + "\n" for line in text.splitlines() if '"kind":"alert"' in line)
    status, text, _ = run("verify", selection)
    check("a selection is proved", status == 0 and re.search(r"records +\d+ of", text), text)
    check("as far as that goes", "whoever made this file" in text, text)
    status, text, _ = run("verify", "--head", f"999999:{'a' * 64}", selection)
    check("a head of none of its records is said to prove nothing",
          status == 0 and "heads    0 compared, 1 of records that are not there" in text, text)

    name = max(n for n in os.listdir(log) if n.endswith(".jsonl"))
    with open(f"{log}/{name}", "rb+") as f:
        whole = f.read()
        f.truncate(len(whole) - len(whole.splitlines(True)[-1]))
    status, text, _ = run("verify", log)
    check("without a head a cut end is not seen, and that is said",
          status == 0 and "none was given" in text, text)
    status, text, _ = run("verify", "--log", f"{directory}/syslog", log)
    check("a head shows that the end was cut off", status == 1 and "cut off" in text, text)
    status, text, _ = run("verify", "--json", "--head", f"{last['seq']}:{last['hash']}", log)
    check("and as JSON", status == 1 and json.loads(text)["fault"] == "does-not-fit-head", text)
    status, _, errors = run("verify", "--head", "x", log)
    check("what is no head is refused", status == 2 and "no head" in errors, errors)
    status, _, errors = run("verify", f"{directory}/nowhere")
    check("no log is exit status 2", status == 2 and errors, errors)


with tempfile.TemporaryDirectory(prefix="keytrail-journal-") as directory:
    policy, trace = f"{directory}/p.yaml", f"{directory}/t.trace"
    with open(policy, "w", encoding="utf-8") as f:
        f.write(POLICY)
    write_trace(trace, READERS)
    crashes(directory, policy, trace)
    full(directory, policy, trace)
    images(directory)
    heads_and_export(directory)
sys.exit(failed > 0)
