#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The command `keytrail` as a person meets it, against a daemon that this test plays.

	cli.py KEYTRAIL

Options of help and man page are the same; exit codes are the documented ones; what the daemon says
is shown whole, in order and without a byte that a terminal would act on. Also: what the documents
list is what the sources have. Prints one line per check; exits 0 if all hold.
"""
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading

KEYTRAIL = os.path.abspath(sys.argv[1])
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
failed = 0


def check(name, ok, detail=""):
    global failed
    failed += not ok
    detail = f": {detail}" if detail and not ok else ""
    print(f"{'ok  ' if ok else 'FAIL'} cli: {name}{detail}")


def read(path):
    with open(os.path.join(TOP, path), encoding="utf-8") as f:
        return f.read()


def run(*args, user=None, env=None, program=KEYTRAIL):
    result = subprocess.run(
        [program, *args],
        capture_output=True,
        timeout=30,
        user=user,
        extra_groups=[] if user else None,
        env={"PATH": os.environ["PATH"], "TZ": "UTC", **(env or {})},
    )
    return result.returncode, result.stdout.decode(), result.stderr.decode()


class Daemon:
    """Plays keytraild: answers each connection's requests with the lines given for it."""

    def __init__(self, directory, answers):
        self.path = f"{directory}/control.sock"
        self.requests = []
        self.answers = answers
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(self.path)
        self.socket.listen()
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        for lines in self.answers:
            connection, _ = self.socket.accept()
            with connection:
                self.requests.append(json.loads(connection.makefile().readline()))
                connection.sendall("".join(json.dumps(line) + "\n" for line in lines).encode())

    def close(self):
        self.thread.join(10)
        self.socket.close()
        os.unlink(self.path)


def ask(directory, lines, *args, **kwargs):
    daemon = Daemon(directory, [lines])
    result = run(*args, f"--socket={daemon.path}", **kwargs)
    daemon.close()
    return (*result, daemon.requests[0])


def plain(roff):
    """Man page source without escapes and font changes."""
    return re.sub(r"\\f.", "", roff).replace("\\-", "-").replace("\\&", "")


def test_documents():
    _, usage, _ = run("help")
    commands = re.findall(r"^  ((?:[a-z]+ )+?)(?:[A-Z\[]\S* | ) +\S", usage, re.M)
    commands = [c.strip() for c in commands if not c.startswith("help")]
    check(
        "help lists the commands",
        {"status", "alerts", "policy check", "reload", "replay", "scan"} <= set(commands),
        commands,
    )
    man = plain(read("docs/man/keytrail.1"))
    sections = {
        re.sub(r" [\[A-Z].*", "", title): body
        for title, body in re.findall(r"^\.SS (.*?)\n(.*?)(?=^\.S[SH] )", man, re.M | re.S)
    }
    check(
        "man page and help have the same commands",
        set(sections) - {"help"} == set(commands),
        f"{sorted(sections)} {commands}",
    )
    for command in commands:
        _, text, _ = run("help", *command.split())
        option = r"^\.?[^\n]*?(?:-(\w)\b.*?)?--([a-z-]+)"
        ours = {tuple(o) for o in re.findall(r"^  (?:-(\w),|   ) --([a-z-]+)", text, re.M)}
        entries = re.findall(r"^\.TP\n(.*)$", sections.get(command, ""), re.M)
        theirs = {
            tuple(m.groups(default=""))
            for m in (re.match(option, e.replace('"', "").replace(" , ", ", ")) for e in entries)
            if m
        }
        check(
            f"options of '{command}' are the same in help and man page",
            ours == theirs,
            f"help {sorted(ours)}, man {sorted(theirs)}",
        )
        _, completion, _ = run("complete", "--", *command.split())
        check(
            f"completion of '{command}' knows them too",
            {w.strip("-=") for w in completion.split()} == {o[1] for o in ours},
            completion,
        )
    settings = re.search(
        r"struct settings \{(.*?)\n\};", read("user/policy/policy.h"), re.S
    ).group(1)
    settings = set(re.findall(r"(\w+);", settings))
    words = set(re.findall(r"\w+", plain(read("docs/man/keytrail-policy.5"))))
    check("keytrail-policy(5) has every setting", settings <= words, settings - words)
    source = read("user/sinks/rfc5424.c")
    names = set(re.findall(r'param(?:_u|_time|_words)?\(line, "(\w+)"', source))
    documented = set(re.findall(r"`(\w+)`", read("docs/syslog.md")))
    check(
        "docs/syslog.md has every parameter",
        len(names) > 40 and names <= documented,
        names - documented,
    )


def test_exit_codes(directory):
    rows = [
        ((), 2),
        (("nonsense",), 2),
        (("policy",), 2),
        (("status", "extra"), 2),
        (("status", "--nonsense"), 2),
        (("status", "--json=1"), 2),
        (("alerts", "-n"), 2),
        (("alerts", "--limit", "-1"), 2),
        (("alerts", "--since", "yesterday"), 2),
        (("replay",), 2),
        (("help", "nonsense"), 2),
        (("help",), 0),
        (("--version",), 0),
        (("alerts", "--help"), 0),
        (("alerts", "-h"), 0),
        (("status", f"--socket={directory}/none"), 69),
        (("policy", "check", f"{directory}/none.yaml"), 2),
        (("policy", "show", "-p", f"{directory}/none.yaml"), 2),
        (("policy", "show", "-p", f"{TOP}/policy/10-ssh.yaml"), 0),
        (("policy", "diff", "-f", f"{TOP}/policy/10-ssh.yaml", "-t", f"{TOP}/policy/20-tls.yaml"), 1),
        (("policy", "test"), 2),
        (("policy", "test", "-p", f"{TOP}/policy/10-ssh.yaml", f"{directory}/none"), 2),
        (("explain", "-p", f"{TOP}/policy/10-ssh.yaml", "/root/.ssh/id_rsa"), 0),
        (("explain", "-p", f"{TOP}/policy/10-ssh.yaml", str(os.getpid())), 0),
        (("explain", "-p", f"{TOP}/policy/10-ssh.yaml", "what?"), 2),
        (("explain", "-p", f"{TOP}/policy/10-ssh.yaml", "deadbeef00", f"--socket={directory}/none"), 69),
        (("inventory", "-p", f"{TOP}/policy/10-ssh.yaml", f"{directory}/none"), 1),
        (("replay", f"{directory}/none", "-p", f"{TOP}/tests/replay/policy.yaml"), 1),
        (("replay", f"{TOP}/tests/replay/readers.trace", "-p", f"{directory}/none.yaml"), 2),
    ]
    for args, code in rows:
        got, out, err = run(*args)
        check(
            f"keytrail {' '.join(args).replace(directory, 'DIR').replace(TOP, 'TOP')}: exit {code}",
            got == code and (out + err).strip() != "",
            f"{got}, {out}{err}",
        )
    _, _, err = run("status", f"--socket={directory}/none")
    check(
        "that the daemon does not run is said with what to do",
        "not running" in err and "systemctl start keytraild" in err,
        err,
    )
    if os.geteuid() != 0:
        print("SKIP cli: exit 77: needs root to become another user")
        return
    # The other user may not be let into the directories above this tree.
    with tempfile.TemporaryDirectory() as shared:
        os.chmod(shared, 0o755)
        program = shutil.copy(KEYTRAIL, shared)
        os.chmod(directory, 0o700)
        got, _, err = run("status", f"--socket={directory}/none", user=65534, program=program)
    check(
        "who may not ask is told so: exit 77",
        got == 77 and "group keytrail" in err,
        f"{got} {err}",
    )


CASES = """version: 1
homes: [/home/ada]
cases:
  - {name: fine, subject: {exe: /usr/bin/ssh}, object: /home/ada/.ssh/id_rsa, expect: allow}
  - {name: odd, subject: {exe: /usr/bin/cat}, object: /home/ada/.ssh/id_rsa, expect: EXPECTED}
"""


def test_policy_commands(directory):
    policy = f"{TOP}/policy/10-ssh.yaml"
    for expected, code in (("alert", 0), ("allow", 1)):
        path = f"{directory}/cases.yaml"
        with open(path, "w", encoding="utf-8") as f:
            f.write(CASES.replace("EXPECTED", expected))
        got, out, _ = run("policy", "test", "-p", policy, path)
        check(f"policy test exits {code} if it is to {expected} what is told", got == code, out)
        if code:
            check(
                "and says which case, why, and what would change it",
                f"{path}:5:5: FAILED: odd: expected allow, is alert by 'ssh-user-keys'" in out
                and f"({policy}:" in out
                and "- {exe: /usr/bin/cat}" in out,
                out,
            )
    own = f"{directory}/own.yaml"
    with open(own, "w", encoding="utf-8") as f:
        f.write("version: 1\noverride: [{name: ssh-user-keys, severity: low}]\n")
    got, out, err = run("policy", "diff", "-f", policy, "-t", policy, "-t", own)
    check(
        "policy diff tells the line that differs, with its origin",
        got == 1
        and re.fullmatch(
            r"- watch ssh-user-keys: severity: high  # .*10-ssh.yaml:\d+\n"
            rf"\+ watch ssh-user-keys: severity: low  # {own}:2\n",
            out,
        ),
        out + err,
    )
    got, out, _ = run("policy", "diff", "-f", policy, "-t", policy)
    check("and nothing, with 0, if nothing does", got == 0 and out == "", out)
    _, out, _ = run("policy", "show", "--json", "-p", policy, "-p", own)
    lines = [json.loads(line) for line in out.splitlines()]
    check(
        "policy show knows where each line is from",
        {"section": "watch ssh-user-keys", "text": "severity: low", "file": own, "line": 2}.items()
        <= next(x for x in lines if x["text"] == "severity: low").items(),
        out,
    )
    _, out, _ = run("explain", "-p", policy, "/root/.ssh/id_x", "--by", "/usr/bin/cat")
    check(
        "explain names entry, pattern, verdict and the change",
        "Watch entry: ssh-user-keys, by the path ~/.ssh/id_*" in out
        and "Verdict: alert" in out
        and "allow:\n          - {exe: /usr/bin/cat}" in out,
        out,
    )
    alert = {
        "id": "0123456789abcdef0123456789abcdef",
        "text": "cat read a key",
        "rule": "no such program (x.yaml:1)",
        "subject": {"exe": "/usr/bin/cat", "exe_trust": "verified", "uid": 0, "user": "root"},
        "object": {"path": "/root/.ssh/id_rsa", "watch": "ssh-user-keys"},
    }
    code, out, err, _ = ask(
        directory, [{"ok": True, "alert": alert}, {"ok": True}], "explain", "-p", policy, "01234567"
    )
    check(
        "explain of an alert tells what decided then and now",
        code == 0 and "Decided then by: no such program (x.yaml:1)" in out
        and "Verdict: alert" in out,
        out + err,
    )
    nested = {"container": "b" * 12, "image": "q.io/a", "image_container": "a" * 12}
    rules = f"{directory}/containers.yaml"
    with open(rules, "w", encoding="utf-8") as f:
        f.write("""version: 1
watch:
  - {name: ssh-user-keys, class: ssh-user-key, paths: ["~/.ssh/id_*"],
     allow: [{exe: /usr/bin/cat, container: 'aaaa*', image: q.io/a}]}
""")
    for name, subject, verdict in [
        ("the outermost container, which its image is of", nested, "allow"),
        ("its container, where that is in no other", {**nested, "image_container": None}, "alert"),
    ]:
        subject = {k: v for k, v in {**alert["subject"], **subject}.items() if v}
        _, out, err, _ = ask(directory, [{"ok": True, "alert": {**alert, "subject": subject}}, {"ok": True}],
                             "explain", "-p", rules, "01234567")
        check(f"explain of an alert goes by {name}", f"Verdict: {verdict}" in out, out + err)
    keys = f"{directory}/keys"
    os.mkdir(keys)
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", f"{keys}/a"], check=True, timeout=60
    )
    scan = os.path.join(os.path.dirname(KEYTRAIL), "keytrail-scan")
    _, out, err = run("inventory", "--json", "-p", policy, f"--program={scan}", keys)
    lines = [json.loads(line) for line in out.splitlines()]
    check(
        "inventory finds the key, and says that nobody watches it",
        len(lines) == 1
        and lines[0]["path"].endswith("/keys/a")
        and lines[0]["type"] == "ED25519"
        and lines[0]["mode"] == "0600"
        and lines[0]["findings"] == ["unwatched"],
        out + err,
    )


STATUS = {
    "version": "9.9",
    "pid": 4711,
    "since": 1736426096.5,
    "kernel": "6.1.0-test",
    "hooks": [
        {
            "name": "on_file_open",
            "target": "security_file_open",
            "state": "attached",
            "why": "",
            "sees": "opens",
            "essential": True,
        },
        {
            "name": "on_mmap",
            "target": "security_mmap_file",
            "state": "missing",
            "why": "no such function",
            "sees": "mappings",
            "essential": False,
        },
    ],
    "rings": [{"name": "critical", "size_kib": 8192, "records": 5}],
    "drops": {"ring-critical": 3, "mark-full": 0},
    "gaps": [],
    "objects": {"total": 12, "by_class": {"ssh-user-key": 10, "dump": 2}},
    "sinks": [
        {
            "name": "syslog",
            "written": 7,
            "queued": 1,
            "spooled": 2,
            "dropped": 4,
            "state": "connected to /dev/log (RFC 3164)",
        }
    ],
    "policy": {
        "files": ["/etc/keytrail/policy.d/10-ssh.yaml"],
        "generation": 3,
        "loaded_at": 1736426096,
        "watches": 13,
    },
    "proc": {"nodes": 100, "cap": 65536, "bytes": 204800},
    "self": {"rss_kib": 20480},
    "warnings": ["not marked: /home/x\x1b]0;evil\x07/.ssh: Permission denied"],
}


def test_status(directory):
    reply = [{"v": 1, "id": 0, "ok": True, "do": "status", "result": STATUS}]
    code, out, err, request = ask(directory, reply, "status")
    check(
        "status asks for status",
        code == 0 and request == {"do": "status", "v": 1},
        f"{request} {err}",
    )
    for what in [
        "running since 2025-01-09 12:34:56",
        "pid 4711",
        "kernel 6.1.0-test",
        "1 of 2 attached",
        "missing   on_mmap: no such function; not seen: mappings",
        "12 objects, 10 ssh-user-key, 2 dump",
        "3  ring-critical 3",
        "7 written, 1 queued, 2 spooled, 4 dropped  connected to /dev/log (RFC 3164)",
        "generation 3",
        "13 watch entries",
        "/etc/keytrail/policy.d/10-ssh.yaml",
        "not marked: /home/x?]0;evil?/.ssh: Permission denied",
    ]:
        check(f"status shows '{what}'", what in out, out)
    check("no colours where there is no terminal", "\x1b" not in out)
    _, out, _, _ = ask(directory, reply, "status", "--json")
    check("--json gives the answer itself", json.loads(out) == STATUS)
    bare = [{"v": 1, "id": 0, "ok": True, "do": "status", "result": {}}]
    code, _, _, _ = ask(directory, bare, "status")
    check("an answer with nothing in it is shown all the same", code == 0)


def alert(n, **more):
    return {
        "v": 1,
        "id": 0,
        "alert": {
            "schema": 1,
            "id": f"{n:032x}",
            "type": "key-read",
            "severity": "high",
            "time": "2025-01-09T12:34:56.123456789Z",
            "host": "web1",
            "text": "cat opened " + "word " * 40,
            "count": 1,
            "rule": "no rule allows /usr/bin/cat",
            "subject": {
                "pid": 42,
                "exe": "/usr/bin/cat",
                "args": "cat k",
                "user": "ann",
                "session": 7,
                "login_user": "ann",
                "unit": "session-7.scope",
                "exe_trust": "verified",
            },
            "ancestry": [
                {"pid": 41, "exe": "/usr/bin/bash", "args": "", "user": "ann"},
                {"pid": 1, "exe": "/sbin/init", "args": "", "user": "root"},
            ],
            "ancestry_complete": True,
            "object": {
                "path": "/home/ann/.ssh/id_\x1b[2J\x9b",
                "via": "",
                "class": "ssh-user-key",
                "owner_user": "ann",
                "key": {
                    "type": "ED25519",
                    "bits": 256,
                    "fingerprint": "SHA256:abc",
                    "comment": "ann@x",
                    "encrypted": True,
                    "source": "sibling",
                },
            },
            "access": {"how": "open"},
            **more,
        },
    }


def end(count, following=False):
    return {
        "v": 1,
        "id": 0,
        "ok": True,
        "do": "alerts",
        "result": {"count": count, "following": following},
    }


def test_alerts(directory):
    code, out, err, request = ask(
        directory,
        [alert(1), alert(2), end(2)],
        "alerts",
        "-n5",
        "--type",
        "key-read",
        "--severity=high",
        "--since",
        "@1736426000",
        env={"COLUMNS": "60"},
    )
    check(
        "alerts passes its options on",
        code == 0
        and request
        == {
            "v": 1,
            "do": "alerts",
            "limit": 5,
            "follow": False,
            "type": "key-read",
            "severity": "high",
            "since": 1736426000.0,
        },
        f"{request} {err}",
    )
    for what in [
        "2025-01-09 12:34:56 high key-read  00000000 on web1",
        "/home/ann/.ssh/id_?[2J",
        "ED25519 256 SHA256:abc ann@x, encrypted, named by the "
        "public file beside it: unverified",
        "/usr/bin/cat[42] ann  cat k",
        "by /usr/bin/bash[41] ann",
        "logged in as ann, session 7, unit session-7.scope",
        "no rule allows /usr/bin/cat",
    ]:
        check(f"alerts shows '{what}'", what in out, out)
    check("nothing of a name acts on the terminal", "\x1b" not in out and "\x9b" not in out)
    sentence = [line for line in out.splitlines() if "word word" in line]
    check("the sentence is wrapped", sentence and max(map(len, sentence)) <= 60, sentence)
    check(
        "ancestors stand one step further in each",
        re.search(r"^( +)by /usr/bin/bash.*\n\1  by /sbin/init", out, re.M),
        out,
    )
    for args, limit in (
        (("alerts",), 20),
        (("alerts", "--json"), 2**63 - 1),
        (("alerts", "--since", "1h"), 2**63 - 1),
        (("alerts", "--since", "1h", "-n3"), 3),
    ):
        _, _, _, request = ask(directory, [end(0)], *args)
        check(f"{' '.join(args)} asks for {limit}", request["limit"] == limit, request)
    code, out, _, _ = ask(directory, [alert(1), alert(2), end(2)], "alerts", "--json")
    lines = [json.loads(line) for line in out.splitlines()]
    check(
        "--json gives one object per line",
        code == 0 and lines == [alert(1)["alert"], alert(2)["alert"]],
    )
    code, out, err, request = ask(directory, [alert(1), end(1, True), alert(2)], "alerts", "-fj")
    check(
        "--follow goes on behind the end of the store, and says when the daemon goes",
        request["follow"] is True and len(out.splitlines()) == 2 and code == 69,
        f"{code} {out} {err}",
    )
    for minimal in (
        {"v": 1, "id": 0, "alert": {}},
        {"v": 1, "id": 0, "alert": {"subject": {}, "gap": {}, "object": {"key": {}}}},
    ):
        code, _, err, _ = ask(directory, [minimal, end(1)], "alerts")
        check("an alert with little in it is shown all the same", code == 0, err)
    within = {"container": "b" * 12, "image": "q.io/a"}
    for more, of in (({}, " of image q.io/a"), ({"image_container": "a" * 12}, " in a container of image q.io/a")):
        _, out, err, _ = ask(directory, [alert(1, subject={**within, **more}), end(1)], "alerts")
        check(f"alerts shows a container{of}", f", container {'b' * 12}{of}\n" in out, out + err)


def test_refusals(directory):
    refused = {
        "v": 1,
        "id": 0,
        "ok": False,
        "code": "EINVAL",
        "error": "no\x1b[1m",
        "detail": {"errors": ["a.yaml:3:5: error: bad"]},
    }
    code, out, err, _ = ask(directory, [refused], "reload")
    check(
        "a refused reload tells why and fails",
        code == 1
        and "a.yaml:3:5: error: bad" in err
        and "\x1b" not in err,
        f"{code} {err}",
    )
    code, _, err, _ = ask(
        directory, [{**refused, "code": "EPERM", "error": "only root"}], "reload"
    )
    check("not being root: exit 77", code == 77, err)
    code, _, err, _ = ask(directory, [{**refused, "code": "EACCES"}], "status")
    check("not being in the group: exit 77", code == 77 and "group keytrail" in err, err)
    code, out, _, _ = ask(
        directory,
        [{"v": 1, "id": 0, "ok": True, "do": "reload", "result": {"generation": 4}}],
        "reload",
    )
    check("reload tells the generation", code == 0 and "generation 4" in out, out)
    warned = {"generation": 5, "reloaded": True, "warnings": ["a.yaml:1:1: warning: odd\x1b[1m"]}
    code, out, err, _ = ask(
        directory, [{"v": 1, "id": 0, "ok": True, "do": "reload", "result": warned}], "reload"
    )
    check(
        "and its warnings",
        code == 0 and "a.yaml:1:1: warning: odd" in err and "\x1b" not in err,
        f"{code} {err}",
    )
    code, _, err, _ = ask(directory, [], "status")
    check("a daemon that hangs up: exit 69", code == 69 and "ended the connection" in err, err)
    code, _, err, _ = ask(directory, ["not an object"], "status")
    check("an answer that is none is told", code == 1 and err, err)


def test_trail_of_two_hosts(directory):
    base = f"{TOP}/tests/replay/two-hosts"
    key = "SHA256:kA5Xm1fQxXw1u4d0rXoUQm7a1B9u2pO1iVYcV1W3s0Q"
    own = ("--replay", f"{base}.trace", "--policy", f"{base}.policy.yaml")
    log = ("--log", f"{base}.log")
    code, out, err = run("trail", key, *own, *log)
    check("a trail goes on on the host of the log", code == 0 and out == read(f"{base}.joined"), out)
    check("and nothing is complained of", not err, err)
    code, out, _ = run("trail", "/home/support/core.901", *own, *log)
    check("asked for by a file of the other host", "read by signd" in out and code == 0, out)
    code, out, _ = run("trail", key, *own, *log, "--json")
    same = [e for e in json.loads(out)["edges"] if e["kind"] == "same-content"]
    check(
        "the same dump is inferred, by its content",
        len(same) == 1 and (same[0]["evidence"], same[0]["rule"]) == ("inferred", "same-content"),
        same,
    )
    hosts = {n["host"] for n in json.loads(out)["nodes"]}
    check("each node says of which host it is", hosts == {"", "signer", "debug"}, hosts)
    code, out, _ = run("trail", key, *own, *log, "--dot")
    check("the picture names the hosts", "on debug" in out and "same-content" in out, out)
    # Two halves of a log, and what stands in both, come to the same.
    lines = read(f"{base}.log").splitlines(keepends=True)
    halves = (f"{directory}/a.log", f"{directory}/b.log")
    for name, part in zip(halves, (lines[:6], lines[4:])):
        with open(name, "w", encoding="utf-8") as f:
            f.writelines(part)
    code, out, _ = run("trail", key, *own, "--log", halves[0], "--log", halves[1])
    check("--log may be given again", code == 0 and out.count(" on debug") >= 5, out)
    if not os.path.exists("/var/lib/keytrail/trail.db"):
        code, out, _ = run("trail", key, *log)
        check("logs alone do", code == 0 and "read by strings" in out and "signd" not in out, out)
    code, _, err, *_ = run("trail", key, *own, "--log", f"{directory}/none")
    check("a log that is not there is told", code == 1 and "No such file" in err, err)


with tempfile.TemporaryDirectory(prefix="keytrail-cli-") as tmp:
    test_documents()
    test_exit_codes(tmp)
    test_policy_commands(tmp)
    test_status(tmp)
    test_alerts(tmp)
    test_refusals(tmp)
    test_trail_of_two_hosts(tmp)
sys.exit(1 if failed else 0)
