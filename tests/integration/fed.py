#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A keytraild that is fed from a trace instead of by probes (tests/fed): killed, and over an hour.

	fed.py kill KEYTRAIL FED-DIRECTORY KILLS
	fed.py soak KEYTRAIL FED-DIRECTORY EVENTS
	fed.py start KEYTRAIL FED-DIRECTORY 0

kill: the daemon is killed with SIGKILL at so many random points, between two events or in the middle
of what it does about one, and started anew. What it was not done with two seconds (of the trace)
before is fed once more, as who resends does. All that an unbroken run tells must then have been told,
by syslog, in the file of JSON lines, in the alert store and in the evidence log; what was told twice,
with the same id and the same words; and the chain of the evidence log must be whole.

soak: an hour of short processes, one in ten of which reads a key. When the tables are full, memory
must not grow any more. Windows of alerts are short, so that they are full within the first half: there
are some that only alerts fill.

start: what it says where it cannot.

Prints one line per check; exits 0 if all hold. `kill` prints the seed of its random points; SEED=that
in the environment makes the run again, as far as the machine does.
"""
import collections
import json
import mmap
import os
import random
import shutil
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import tempfile
import threading
import time

MODE, KEYTRAIL, FED, NUMBER = sys.argv[1], os.path.abspath(sys.argv[2]), sys.argv[3], int(sys.argv[4])
FED = os.path.abspath(FED)
HOST = f"{FED}/host"
SECOND = 1000000000
T0 = 1000 * SECOND  # as in tests/fed/events.c
LIMIT = 120  # seconds without progress
PAUSE_LEAST, PAUSE_MOST = 0.001, 0.05  # seconds between two looks at it
failed = 0


def check(name, ok, detail=""):
    global failed
    failed += not ok
    detail = f": {detail}" if detail and not ok else ""
    print(f"{'ok  ' if ok else 'FAIL'} fed-{MODE}: {name}{detail}", flush=True)


def policy(path, settings):
    """Nothing of the host: no search, no canary file, no logs but those below HOST."""
    with open(path, "w", encoding="utf-8") as f:
        f.write(f"""version: 1
settings:
  canary_s: 0
  discover: {{content: off, homes: off}}
  syslog_socket: {HOST}/log.sock
  syslog_fallback: {HOST}/nowhere
  jsonl: {HOST}/alerts.jsonl
{settings}
watch:
  - {{name: keys, class: ssh-user-key, paths: ["/k/**"], allow: [{{exe: /usr/bin/env}}]}}
""")


def fresh():
    """The host's directories, with nothing in them."""
    shutil.rmtree(HOST, ignore_errors=True)
    os.mkdir(HOST)


class Log:
    """What listens where rsyslog would: each line that arrives."""

    def __init__(self):
        self.lines = []
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(f"{HOST}/log.sock")
        self.socket.settimeout(0.2)
        self.over = False
        self.thread = threading.Thread(target=self.listen)
        self.thread.start()

    def listen(self):
        while True:
            try:
                self.lines.append(self.socket.recv(65536))
            except socket.timeout:
                if self.over:
                    return

    def end(self):
        self.over = True
        self.thread.join()
        self.socket.close()


class Daemon:
    """One run over what `events` writes with these arguments."""

    def __init__(self, *arguments, faster=1):
        path = f"{HOST}/progress"
        with open(path, "wb") as f:
            f.write(bytes(24))
        with open(path, "rb") as f:
            self.map = mmap.mmap(f.fileno(), 24, prot=mmap.PROT_READ)
        self.events = subprocess.Popen([f"{FED}/events", *map(str, arguments)],
                                       stdout=subprocess.PIPE)
        self.log = open(f"{HOST}/daemon.log", "ab")
        self.process = subprocess.Popen(
            [f"{FED}/keytraild", "--policy", f"{FED}/policy.yaml"], stdin=self.events.stdout,
            stdout=self.log, stderr=self.log,
            env={**os.environ, "FED_PROGRESS": path, "FED_FASTER": str(faster)})
        self.events.stdout.close()

    def progress(self):
        """Events and time that the daemon is done with."""
        return struct.unpack("QQ", self.map[:16])

    def wait_for(self, events):
        """Whether so many were done, and the daemon still runs. While nothing moves it is asked less
        and less often: the processor is the daemon's."""
        seen, moved, pause = -1, time.monotonic(), PAUSE_LEAST
        while self.process.poll() is None and time.monotonic() < moved + LIMIT:
            done = self.progress()[0]
            if done >= events:
                return True
            pause = min(2 * pause, PAUSE_MOST)
            if done != seen:
                seen, moved, pause = done, time.monotonic(), PAUSE_LEAST
            time.sleep(pause)
        return False

    def end(self):
        status = self.process.wait()
        self.events.kill()
        self.events.wait()
        self.log.close()
        return status


def run(*args):
    result = subprocess.run([KEYTRAIL, *args], capture_output=True, timeout=300, check=False)
    return result.returncode, result.stdout.decode(), result.stderr.decode()


# --- kill ------------------------------------------------------------------------------------------

STEP = 50000000  # ns between two lives
EVENTS_OF_A_LIFE = 5.45
AGAIN = 2 * SECOND  # longer than any verdict waits
ROUND = 200  # lives at most, from which a round may be killed
TYPES = ("key-read", "holder-dumped")


def taken_up(daemon, begun):
    """The first life that may not have been told of."""
    done = daemon.progress()[1]
    return max(begun, (done - AGAIN - T0) // STEP) if done > AGAIN + T0 else begun


def without_chain(alert):
    return {name: value for name, value in alert.items() if not name.startswith("chain")}


def told():
    """Alerts by their ids: in the file, in the store, in the evidence log."""
    lines = collections.defaultdict(list)
    torn = []
    with open(f"{HOST}/alerts.jsonl", "rb") as f:
        for line in f:
            try:
                alert = json.loads(line)
            except ValueError:
                torn.append(line)
                continue
            if alert["type"] in TYPES:
                lines[alert["id"]].append(without_chain(alert))
    with sqlite3.connect(f"{HOST}/STATE/alerts.db") as db:
        whole = db.execute("PRAGMA integrity_check").fetchone()[0]
        store = {row[0] for row in db.execute("SELECT json FROM alerts")}
    store = {alert["id"] for alert in map(json.loads, store) if alert["type"] in TYPES}
    evidence = collections.Counter()
    accesses = set()
    for name in sorted(os.listdir(f"{HOST}/STATE/evidence")):
        with open(f"{HOST}/STATE/evidence/{name}", encoding="utf-8") as f:
            for record in map(json.loads, filter(lambda line: line.endswith("\n"), f)):
                if record["kind"] == "alert" and record["type"] in TYPES:
                    evidence[record["id"]] += 1
                elif record["kind"] == "access":
                    accesses.add(record["path"])
    return lines, torn, store, whole, evidence, accesses


def unbroken(lives):
    fresh()
    log = Log()
    daemon = Daemon(lives, 0, STEP)
    status = daemon.end()
    log.end()
    lines = told()[0]
    return status, {i: alerts[0] for i, alerts in lines.items()}


def broken(kills):
    fresh()
    log = Log()
    begun = killed = again = 0
    while killed < kills:
        daemon = Daemon(begun + 4 * ROUND, begun, STEP)
        if not daemon.wait_for(random.randrange(1, int(ROUND * EVENTS_OF_A_LIFE))):
            break
        time.sleep(random.random() * 0.004)
        daemon.process.kill()
        if daemon.end() != -signal.SIGKILL:
            break
        killed += 1
        done = max(0, (daemon.progress()[1] - T0) // STEP)
        begun, before = taken_up(daemon, begun), begun
        again += max(0, done - begun) if done > before else 0
    lives = begun + ROUND
    daemon = Daemon(lives, begun, STEP)
    status = daemon.end()
    # What the log server had no room for yet is in the spool, and sent by whoever is started next.
    for _ in range(20):
        if os.path.exists(f"{HOST}/STATE/syslog.spool"):
            Daemon(lives, lives - 1, STEP).end()
    log.end()
    return status, killed, again, lives, log.lines


def kill(kills):
    seed = os.environ.get("SEED") or str(random.SystemRandom().getrandbits(32))
    print(f"SEED={seed}", flush=True)
    random.seed(seed)
    policy(f"{FED}/policy.yaml", "  alert_share: 1000000\n  alert_burst: 1000")
    status, killed, again, lives, syslog = broken(kills)
    spent = os.times()
    own, daemons = spent.user + spent.system, spent.children_user + spent.children_system
    check("this test left the processor to the daemon", own < daemons / 4, f"{own:.1f} s, {daemons:.1f} s")
    check(f"killed {kills} times", killed == kills, f"{killed}")
    check("the run after all of them ends well", status == 0, f"status {status}")
    lines, torn, store, whole, evidence, accesses = told()
    proof, text, errors = run("verify", f"{HOST}/STATE/evidence")
    check("the chain is whole", proof == 0, text + errors)
    check("the store is whole", whole == "ok", whole)
    with sqlite3.connect(f"{HOST}/STATE/trail.db") as db:
        whole = db.execute("PRAGMA integrity_check").fetchone()[0]
    check("the trail is whole", whole == "ok", whole)
    sent = {i for i in (line.split(b' id="', 1)[-1][:32].decode() for line in syslog)}
    status, expected = unbroken(lives)
    check("an unbroken run ends well", status == 0 and len(expected) >= lives, f"status {status}")
    for what, ids in (("syslog", sent), ("the file", lines), ("the store", store),
                      ("the evidence log", evidence)):
        lost = set(expected) - set(ids)
        check(f"none of {len(expected)} alerts is missing in {what}", not lost,
              f"{len(lost)}: {sorted(lost)[:3]}")
    check("none is there that an unbroken run does not tell", set(lines) <= set(expected),
          f"{sorted(set(lines) - set(expected))[:3]}")
    repeats = sum(len(alerts) - 1 for alerts in lines.values())
    differ = [i for i, alerts in lines.items() for alert in alerts if alert != expected.get(i)]
    check(f"{repeats} repeats have the same id and the same words", not differ,
          f"{len(differ)}: {differ[:3]}")
    check(f"there are repeats, of {again} lives that were fed again", repeats > 0 or kills < 20)
    check("each access is in the evidence log",
          accesses >= {f"/k/{life}" for life in range(lives)}, f"{len(accesses)} of {lives}")
    check("a line of the file that a kill tore stands by itself",
          len(torn) <= killed and all(line.count(b'{"schema":') <= 1 for line in torn), f"{torn}")
    check("more alerts are in the evidence log than were told",
          all(evidence[i] >= len(alerts) for i, alerts in lines.items()))


# --- soak -------------------------------------------------------------------------------------------

HOUR = 3600 * SECOND
READERS, DENIED, OBJECTS = 10, 50, 500
EVENTS_OF_A_READER = 2.45  # the read, and what one in four or five does besides; beside the other three
SAMPLES = 20
FASTER = 20


def memory(pid):
    """Resident KiB, of them such as are no file's."""
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        values = dict(line.split(":", 1) for line in f)
    return tuple(int(values[name].split()[0]) for name in ("VmRSS", "RssAnon"))


def size(path):
    return sum(os.stat(f"{path}{end}").st_size for end in ("", "-wal") if os.path.exists(f"{path}{end}"))


def soak(events):
    policy(f"{FED}/policy.yaml", "  journal: {max_size_mib: 4}\n  alert_window_s: 20")
    fresh()
    log = Log()
    lives = int(events / (3 + (EVENTS_OF_A_READER - 1) / READERS))
    begun = time.monotonic()
    daemon = Daemon(lives, 0, HOUR // lives, READERS, DENIED, OBJECTS, faster=FASTER)
    samples = []
    print(f"{'events':>10} {'minutes':>7} {'resident':>9} {'anonymous':>9} {'trail.db':>9} {'evidence':>9}")
    # The trace begins with the keys and who is there already.
    for i in range(1, SAMPLES + 1):
        if not daemon.wait_for(events * i // SAMPLES - 1000):
            break
        done, now = daemon.progress()
        resident, anonymous = memory(daemon.process.pid)
        evidence = sum(entry.stat().st_size for entry in os.scandir(f"{HOST}/STATE/evidence"))
        samples.append(anonymous)
        print(f"{done:10} {(now - T0) / SECOND / 60:7.1f} {resident / 1024:6.1f}MiB "
              f"{anonymous / 1024:6.1f}MiB {size(f'{HOST}/STATE/trail.db') / 2**20:6.1f}MiB "
              f"{evidence / 2**20:6.1f}MiB", flush=True)
    status = daemon.end()
    took = time.monotonic() - begun
    log.end()
    done, now = daemon.progress()
    check("the run ends well", status == 0, f"status {status}")
    check(f"{events} events of an hour", done >= events and (now - T0) / HOUR > 0.99,
          f"{done} events, {(now - T0) / SECOND} s")
    half, late = max(samples[:SAMPLES // 2], default=0), max(samples[SAMPLES // 2:], default=0)
    check(f"memory of the second half ({late / 1024:.1f} MiB at most) is that of the first "
          f"({half / 1024:.1f} MiB)", len(samples) == SAMPLES and late <= half * 1.02)
    proof, text, errors = run("verify", f"{HOST}/STATE/evidence")
    check("the chain is whole", proof == 0, text + errors)
    check("alerts were told", len(log.lines) > 100, f"{len(log.lines)}")
    check("the evidence log keeps its bound",
          sum(entry.stat().st_size for entry in os.scandir(f"{HOST}/STATE/evidence")) <= 5 * 2**20)
    print(f"{done} events in {took:.0f} s, {done / took:.0f} a second; {len(log.lines)} syslog lines")


# --- start ------------------------------------------------------------------------------------------

def start():
    """From a directory that is gone a relative path says nothing."""
    fresh()
    for option in ("--policy", "--record"):
        here = tempfile.mkdtemp(prefix="keytrail-fed-")
        result = subprocess.run(
            ["/bin/sh", "-c", 'rmdir "$1" && exec "$2" "$3" some/file', "sh", here, f"{FED}/keytraild",
             option], cwd=here, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
            timeout=LIMIT, env={**os.environ, "FED_PROGRESS": f"{HOST}/progress"})
        check(f"a relative path of {option} from a directory that is gone is named, with the cause",
              result.returncode == os.EX_OSERR and "some/file: " in result.stderr
              and "directory is gone" in result.stderr, (result.returncode, result.stderr))
        check("and nothing was begun", os.listdir(HOST) == [], os.listdir(HOST))


if MODE == "start":
    start()
elif MODE == "kill":
    kill(NUMBER)
else:
    soak(NUMBER)
sys.exit(failed > 0)
