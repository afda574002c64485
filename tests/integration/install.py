#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""`make install` and `make uninstall` into a directory of this test.

	install.py BUILD

Everything lands where it should with the paths written in, a second install overwrites what is
ours and keeps what the administrator changed, uninstall leaves nothing of ours. Prints one line per
check.
"""
import os
import shutil
import stat
import subprocess
import sys
import tempfile

BUILD = os.path.abspath(sys.argv[1])
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
failed = 0


def check(name, ok, detail=""):
    global failed
    failed += not ok
    detail = f": {detail}" if detail and not ok else ""
    print(f"{'ok  ' if ok else 'FAIL'} install: {name}{detail}")


def make(target, root, *more):
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    return subprocess.run(
        [
            "make",
            "--no-print-directory",
            "-C",
            TOP,
            f"BUILD={BUILD}",
            target,
            f"DESTDIR={root}",
            *more,
        ],
        capture_output=True,
        text=True,
        env=env,
        check=False,
    )


def files(root):
    return {
        os.path.join(base, name)[len(root) :]: os.stat(os.path.join(base, name)).st_mode & 0o7777
        for base, _, names in os.walk(root)
        for name in names
    }


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


EXPECTED = {
    "/usr/local/sbin/keytraild": 0o755,
    "/usr/local/bin/keytrail": 0o755,
    "/usr/local/libexec/keytrail/keytrail-scan": 0o755,
    "/usr/local/libexec/keytrail/keytrail-scan-dump": 0o755,
    # Built where librpm is.
    **({"/usr/local/libexec/keytrail/keytrail-rpm": 0o755} if os.path.exists(f"{BUILD}/keytrail-rpm")
       else {}),
    "/usr/local/libexec/keytrail/keytrail-search": 0o755,
    "/usr/local/share/bash-completion/completions/keytrail": 0o644,
    "/lib/systemd/system/keytraild.service": 0o644,
    "/usr/lib/sysusers.d/keytrail.conf": 0o644,
    "/usr/lib/tmpfiles.d/keytrail.conf": 0o644,
    "/etc/rsyslog.d/keytrail.conf": 0o644,
    "/etc/logrotate.d/keytrail": 0o644,
    "/usr/local/share/keytrail/tokens.yaml": 0o644,
    **{
        f"/usr/local/share/keytrail/policy.d/{name}": 0o644
        for name in os.listdir(f"{TOP}/policy")
        if name.endswith(".yaml")
    },
    **{
        f"/usr/local/share/man/man{name[-1]}/{name}": 0o644
        for name in os.listdir(f"{TOP}/docs/man")
    },
}


def main(root):
    result = make("install", root)
    found = files(root)
    check("succeeds", result.returncode == 0, result.stderr)
    check(
        "puts each file where it belongs",
        found == EXPECTED,
        set(found.items()) ^ set(EXPECTED.items()),
    )
    for path in found:
        if found[path] != 0o755 and "@" in read(root + path):
            check(f"{path} has its paths written in", "@SBINDIR@" not in read(root + path))
    unit = f"{root}/lib/systemd/system/keytraild.service"
    check(
        "the unit starts the installed program",
        "ExecStart=/usr/local/sbin/keytraild\n" in read(unit),
    )
    check(
        "there is a place for the local policy",
        stat.S_ISDIR(os.stat(f"{root}/etc/keytrail/policy.d").st_mode),
    )
    if shutil.which("systemd-analyze"):
        # Against a copy that starts something which is there.
        copy = f"{root}/keytraild.service"
        with open(copy, "w", encoding="utf-8") as f:
            text = read(unit).replace("/usr/local/sbin/keytraild", "/bin/true")
            f.write(text.replace("/usr/local/bin/keytrail ", "/bin/true "))
        verified = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", copy],
            capture_output=True,
            text=True,
            check=False,
        )
        ours = [line for line in verified.stderr.splitlines() if "keytraild" in line]
        check("systemd has nothing to say against the unit", not ours, ours)
        os.unlink(copy)
    else:
        print("SKIP install: no systemd-analyze here")

    rotate = shutil.which("logrotate", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if rotate:
        tried = subprocess.run(
            [rotate, "-d", "-s", f"{root}/state", f"{root}/etc/logrotate.d/keytrail"],
            capture_output=True,
            text=True,
            check=False,
        )
        check("logrotate accepts its file", tried.returncode == 0, tried.stderr)
    else:
        print("SKIP install: no logrotate here")

    conf = f"{root}/etc/rsyslog.d/keytrail.conf"
    with open(conf, "a", encoding="utf-8") as f:
        f.write("# changed by hand\n")
    with open(f"{root}/usr/lib/sysusers.d/keytrail.conf", "a", encoding="utf-8") as f:
        f.write("# not to be changed by hand\n")
    result = make("install", root)
    found = files(root)
    check(
        "a second time keeps what was changed by hand and says so",
        "changed by hand" in read(conf)
        and "KEPT" in result.stdout
        and "changed by hand" not in read(f"{conf}.new"),
    )
    check(
        "and overwrites what is ours",
        "changed by hand" not in read(f"{root}/usr/lib/sysusers.d/keytrail.conf"),
    )
    check(
        "and makes nothing else",
        set(found) == set(EXPECTED) | {"/etc/rsyslog.d/keytrail.conf.new"},
    )

    result = make("install", root, "PREFIX=/elsewhere")
    check(
        "another PREFIX than the build's is refused",
        result.returncode != 0 and "built for another place" in result.stderr,
        result.stderr,
    )

    result = make("uninstall", root)
    check("uninstall removes all files", result.returncode == 0 and not files(root), files(root))
    check("but not the place of the local policy", os.path.isdir(f"{root}/etc/keytrail/policy.d"))


def after(root):
    """What runs behind an install into the running system, with the system's tools played."""
    os.makedirs(f"{root}/bin")
    for tool in ("systemd-sysusers", "systemd-tmpfiles", "systemctl", "groupadd", "useradd", "rsyslogd"):
        with open(f"{root}/bin/{tool}", "w", encoding="utf-8") as f:
            f.write(f'#!/bin/sh\necho "{tool} $*" >>{root}/calls\n')
        os.chmod(f"{root}/bin/{tool}", 0o755)
    result = subprocess.run(
        [f"{TOP}/scripts/after-install", root],
        capture_output=True,
        text=True,
        env={"PATH": f"{root}/bin:{os.environ['PATH']}"},
        check=False,
    )
    calls = read(f"{root}/calls").splitlines()
    check(
        "group and directory are made as the installed files declare them",
        calls[:2]
        == ["systemd-sysusers keytrail.conf", "systemd-tmpfiles --create keytrail.conf"],
        calls,
    )
    check(
        "nothing is started or restarted",
        not any(word in call for call in calls for word in ("start", "enable")),
        calls,
    )
    check(
        "what is left to do is said",
        result.returncode == 0 and "keytrail status" in result.stdout,
        result.stdout + result.stderr,
    )


with tempfile.TemporaryDirectory(prefix="keytrail-install-") as directory:
    main(directory)
with tempfile.TemporaryDirectory(prefix="keytrail-install-") as directory:
    after(directory)
sys.exit(1 if failed else 0)
