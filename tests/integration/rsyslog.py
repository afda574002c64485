#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The shipped rsyslog configuration against a real rsyslogd, with mmpstrucdata as the other parser.

	rsyslog.py EMIT-PROGRAM KEYTRAIL.CONF

Runs rsyslogd on a configuration and sockets of its own in a temporary directory. Every alert that
the emitter sends must come out exactly once, parsed, with every byte of its hostile names; a
restart of rsyslogd in between must lose nothing; the files must hold one line per alert and no
other. Prints one line per check; exits 0 if all hold, 1 if not, 77 if there is no rsyslogd here.
"""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

EMIT, CONF = sys.argv[1:3]
RSYSLOGD = shutil.which("rsyslogd", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
if not RSYSLOGD:
    print("SKIP rsyslog: no rsyslogd on this machine (package rsyslog)")
    sys.exit(77)

failed = 0


def check(name, ok, detail=""):
    global failed
    failed += not ok
    detail = f": {detail}" if detail and not ok else ""
    print(f"{'ok  ' if ok else 'FAIL'} rsyslog: {name}{detail}")


def wait_for(what, condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(f"FAIL rsyslog: no {what} within {seconds} s")
        time.sleep(0.02)


class Reader:
    """An rsyslogd with the shipped input, a /dev/log of its own, and files of what it got."""

    def __init__(self, tmp):
        self.tmp = tmp
        self.process = None
        text = open(CONF, encoding="utf-8").read()
        text = text.replace("/run/keytrail/rsyslog/syslog.sock", f"{tmp}/own")
        text = text.replace("/var/log/keytrail.log", f"{tmp}/keytrail.log")
        if f"{tmp}/own" not in text or f"{tmp}/keytrail.log" not in text:
            raise SystemExit(
                "FAIL rsyslog: the shipped file no longer names what this test replaces"
            )
        open(f"{tmp}/keytrail.conf", "w", encoding="utf-8").write(text)
        open(f"{tmp}/rsyslog.conf", "w", encoding="utf-8").write(
            f"""
global(workDirectory="{tmp}")
module(load="imuxsock" SysSock.Name="{tmp}/devlog" SysSock.RateLimit.Interval="0")
module(load="mmpstrucdata")
include(file="{tmp}/keytrail.conf")
template(name="parsed" type="list") {{
  constant(value="{{")
  property(outname="pri" name="pri" format="jsonf")
  constant(value=",")
  property(outname="time" name="timereported" dateFormat="rfc3339" format="jsonf")
  constant(value=",")
  property(outname="host" name="hostname" format="jsonf")
  constant(value=",")
  property(outname="app" name="app-name" format="jsonf")
  constant(value=",")
  property(outname="pid" name="procid" format="jsonf")
  constant(value=",")
  property(outname="msgid" name="msgid" format="jsonf")
  constant(value=",")
  property(outname="version" name="protocol-version" format="jsonf")
  constant(value=",")
  property(outname="text" name="msg" format="jsonf")
  constant(value=",")
  constant(value="\\"sd\\":")
  property(name="$!rfc5424-sd")
  constant(value="}}\\n")
}}
action(type="mmpstrucdata")
action(type="omfile" file="{tmp}/parsed" template="parsed")
auth,authpriv.* action(type="omfile" file="{tmp}/auth.log")
"""
        )

    def valid(self):
        r = subprocess.run(
            [RSYSLOGD, "-N1", "-f", f"{self.tmp}/rsyslog.conf"], capture_output=True
        )
        return r.returncode == 0, r.stderr.decode(errors="replace")

    def start(self):
        self.process = subprocess.Popen(
            [RSYSLOGD, "-n", "-f", f"{self.tmp}/rsyslog.conf", "-i", f"{self.tmp}/pid"]
        )
        wait_for(
            "socket", lambda: os.path.exists(f"{self.tmp}/own") or self.process.poll() is not None
        )

    def stop(self):
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(20)
            self.process = None

    def lines(self, name):
        try:
            return open(f"{self.tmp}/{name}", "rb").read().split(b"\n")[:-1]
        except FileNotFoundError:
            return []

    def parsed(self):
        return [json.loads(line) for line in self.lines("parsed")]


class Emitter:
    def __init__(self, tmp, own, fallback):
        self.expected = []
        self.process = subprocess.Popen(
            [EMIT, own, fallback, f"{tmp}/spool/{os.path.basename(own)}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def say(self, command):
        self.process.stdin.write(command.encode() + b"\n")
        self.process.stdin.flush()
        while True:
            line = self.process.stdout.readline().decode()
            if not line:
                raise SystemExit(f"FAIL rsyslog: the emitter died at: {command}")
            if not line.startswith("{"):
                return line.strip()
            self.expected.append(json.loads(line))

    def close(self):
        self.process.stdin.close()
        self.process.wait(20)


def compare(name, expected, got):
    """Every alert once, each with the values that were sent."""
    by_id = {}
    for record in got:
        by_id.setdefault(record["sd"]["keytrail@32473"]["id"], []).append(record)
    wrong = []
    for alert in expected:
        records = by_id.pop(alert["id"], [])
        if len(records) != 1:
            wrong.append(f"{alert['id']}: {len(records)} records")
            continue
        values = dict(records[0]["sd"]["keytrail@32473"])
        values["text"] = records[0]["text"].removeprefix("\ufeff")
        wrong += [
            f"{alert['id']} {key}: {values.get(key)!r} is not {value!r}"
            for key, value in alert.items()
            if values.get(key) != value
        ]
    wrong += [f"{i}: nobody sent it" for i in by_id]
    check(name, not wrong, "; ".join(wrong[:3]))


def main(tmp):
    reader = Reader(tmp)
    ok, why = reader.valid()
    check("the shipped configuration is valid", ok, why)
    reader.start()
    emitter = Emitter(tmp, f"{tmp}/own", "")
    try:
        emitter.say("hostile")
        emitter.say("big")
        emitter.say("random 1 200")
        check("all is taken", emitter.say("drain") == "drained")
        wait_for(
            "alerts in the file", lambda: len(reader.lines("parsed")) >= len(emitter.expected)
        )
        compare(
            "hostile, random and oversized alerts parse to what was sent",
            emitter.expected,
            reader.parsed(),
        )
        first = reader.parsed()[0]
        check(
            "header fields are understood",
            (first["pri"], first["app"], first["pid"], first["msgid"], first["host"])
            == ("83", "keytraild", "815", "key-read", "web1")
            and re.fullmatch(r"2025-01-09T\d\d:34:56\.123456(Z|[+-]\d\d:\d\d)", first["time"]),
            str(first),
        )

        reader.stop()
        emitter.say("random 2 50")
        reader.start()
        check("what was sent while it was down comes after", emitter.say("drain") == "drained")
        wait_for(
            "alerts in the file", lambda: len(reader.lines("parsed")) >= len(emitter.expected)
        )
        compare(
            "a restart of rsyslogd loses and repeats nothing", emitter.expected, reader.parsed()
        )
    finally:
        emitter.close()
        reader.stop()

    sent = len(emitter.expected)
    log = reader.lines("keytrail.log")
    check(
        "keytrail.log has one whole line per alert",
        len(log) == sent and all(line.startswith(b"<83>1 2025-01-09T") for line in log),
        f"{len(log)} lines for {sent} alerts",
    )
    check("no line is over 8192 bytes", max(map(len, log)) <= 8192)
    auth = reader.lines("auth.log")
    check("the normal rules get each alert once too", len(auth) == sent, f"{len(auth)} lines")

    # The same through rsyslog's own /dev/log: the old framing, the element in the text.
    before = len(reader.lines("auth.log"))
    reader.start()
    wait_for("devlog", lambda: os.path.exists(f"{tmp}/devlog"))
    fallback = Emitter(tmp, f"{tmp}/nobody", f"{tmp}/devlog")
    try:
        fallback.say("hostile")
        fallback.say("random 3 50")
        check("/dev/log takes all", fallback.say("drain") == "drained")
        wait_for(
            "alerts in auth.log",
            lambda: len(reader.lines("auth.log")) >= before + len(fallback.expected),
        )
    finally:
        fallback.close()
        reader.stop()
    lines = reader.lines("auth.log")[before:]
    param = re.compile(r' (\w+)="((?:[^"\\\]]|\\["\\\]])*)"')
    wrong = []
    for alert, line in zip(fallback.expected, lines):
        # As somebody would who does not know better: the first element in the line.
        tail = line.decode().partition(" keytraild[815]: ")[2]
        text, _, element = tail.partition(" [keytrail@32473")
        found = {k: re.sub(r'\\(["\\\]])', r"\1", v) for k, v in param.findall(element)}
        found["text"] = text
        alert["text"] = alert["text"].replace("[keytrail@32473", "(keytrail@32473")
        wrong += [
            f"{k}: {found.get(k)!r} is not {v!r}" for k, v in alert.items() if found.get(k) != v
        ]
    check(
        "/dev/log lines carry the same element",
        len(lines) == len(fallback.expected) and not wrong,
        f"{len(lines)} lines; " + "; ".join(wrong[:3]),
    )


with tempfile.TemporaryDirectory(prefix="keytrail-rsyslog-") as directory:
    main(directory)
sys.exit(1 if failed else 0)
