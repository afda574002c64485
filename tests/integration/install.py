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


def played(root, tools):
    """A directory with these tools: name to what it does; each call is noted."""
    os.makedirs(f"{root}/bin", exist_ok=True)
    for tool, does in tools.items():
        with open(f"{root}/bin/{tool}", "w", encoding="utf-8") as f:
            f.write(f'#!/bin/sh\necho "{tool} $*" >>{root}/calls\n{does}\n')
        os.chmod(f"{root}/bin/{tool}", 0o755)


def without_systemd(root, there, getent="", useradd="", unknown=2):
    """The calls of after-install where nothing of systemd is; getent finds what `there` names, and of
    others says `unknown`."""
    os.makedirs(f"{root}/there")
    for name in there:
        with open(f"{root}/there/{name}", "w", encoding="utf-8"):
            pass
    played(root, {"getent": f'{getent}[ -e "{root}/there/$1-$2" ] || exit {unknown}',
                  "groupadd": "", "useradd": useradd})
    result = subprocess.run([f"{TOP}/scripts/after-install", root], capture_output=True, text=True,
                            env={"PATH": f"{root}/bin"}, check=False)
    calls = [call for call in read(f"{root}/calls").splitlines() if not call.startswith("getent ")]
    return result, calls


USERADD = "--user-group --no-create-home --home-dir / --shell /usr/sbin/nologin keytrail-scan"


def users():
    """The user as whom children read keys, where systemd-sysusers is not there to make it."""
    cases = (
        ("nothing is there", (), ["groupadd --system keytrail", f"useradd --system --uid 613 {USERADD}"]),
        ("all is there", ("group-keytrail", "passwd-keytrail-scan", "passwd-613", "group-613"), []),
        ("a user has the number", ("group-keytrail", "passwd-613"), [f"useradd --system {USERADD}"]),
        ("a group has the number", ("group-keytrail", "group-613"), [f"useradd --system {USERADD}"]),
    )
    for name, there, expected in cases:
        with tempfile.TemporaryDirectory(prefix="keytrail-install-") as root:
            result, calls = without_systemd(root, there)
            check(f"without systemd, {name}", result.returncode == 0 and calls == expected
                  and "userdel" not in result.stdout, (calls, result.stdout, result.stderr))
    with tempfile.TemporaryDirectory(prefix="keytrail-install-") as root:
        _, calls = without_systemd(root, (), unknown=1)
        check("where it is not known who has the number, it is not taken",
              calls[1:] == [f"useradd --system {USERADD}"], calls)
    with tempfile.TemporaryDirectory(prefix="keytrail-install-") as root:
        result, _ = without_systemd(root, (), useradd="exit 1")
        check("what failed is the end's word", result.returncode == 1
              and "failed: useradd" in result.stderr and "Installed." not in result.stdout,
              (result.stdout, result.stderr))
    earlier = '[ "$1-$2" = passwd-keytrail-scan ] && echo "keytrail-scan:x:999:999::/:/bin/false"\n'
    for name, more, told in (("", (), True), (", unless somebody has the number", ("passwd-613",), False)):
        with tempfile.TemporaryDirectory(prefix="keytrail-install-") as root:
            result, calls = without_systemd(root, ("group-keytrail", "passwd-keytrail-scan") + more,
                                            getent=earlier)
            check(f"of a number that an earlier version gave is told{name}",
                  result.returncode == 0 and not calls
                  and told == ("userdel keytrail-scan" in result.stdout), result.stdout)


PASSWD = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/usr/sbin/nologin\n"
GROUP = "root:x:0:\nnogroup:x:65534:\n"


def account(root):
    """The fields of keytrail-scan in the passwd(5) of a root; None: it has no such line, or two."""
    lines = [line for line in read(f"{root}/etc/passwd").splitlines() if line.startswith("keytrail-scan:")]
    return lines[0].split(":") if len(lines) == 1 else None


def is_own(fields, number=None):
    return (fields is not None and 0 < int(fields[2]) < 1000 and int(fields[3]) > 0
            and (number is None or fields[2] == number) and fields[6].endswith("nologin"))


def host(root, more=""):
    os.makedirs(f"{root}/etc")
    for name, text in (("passwd", PASSWD + more), ("group", GROUP)):
        with open(f"{root}/etc/{name}", "w", encoding="utf-8") as f:
            f.write(text)


def made():
    """What the real tools make of it, in a root that is not this host's."""
    search = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    useradd, sysusers = (shutil.which(tool, path=search) for tool in ("useradd", "systemd-sysusers"))
    taken = "somebody:x:613:100::/:/bin/sh\n"
    if useradd and os.geteuid() == 0:
        for name, more, number in (("", "", "613"), (", not with somebody's number", taken, None)):
            with tempfile.TemporaryDirectory(prefix="keytrail-install-") as root:
                host(root, more)
                os.makedirs(f"{root}/there")
                played(root, {"useradd": f'exec {useradd} --prefix {root} "$@"', "groupadd": "",
                              "getent": f'while IFS=: read -r name x id rest; do [ "$name" = "$2" ] || '
                                        f'[ "$id" = "$2" ] && exit 0; done <{root}/etc/$1; exit 2'})
                result = subprocess.run([f"{TOP}/scripts/after-install", root], capture_output=True,
                                        text=True, env={"PATH": f"{root}/bin"}, check=False)
                fields = account(root)
                check(f"useradd makes a system user{name}",
                      is_own(fields, number) and fields[2] != (None if number else "613"),
                      (fields, result.stderr))
    else:
        print("SKIP install: no useradd here, or not root")
    if sysusers:
        for name, more, number in (("", "", "613"), (", not with somebody's number", taken, None)):
            with tempfile.TemporaryDirectory(prefix="keytrail-install-") as root:
                host(root, more)
                result = subprocess.run(
                    [sysusers, f"--root={root}", f"{TOP}/packaging/sysusers.d/keytrail.conf"],
                    capture_output=True, text=True, check=False)
                fields = account(root)
                check(f"systemd-sysusers makes a system user{name}",
                      is_own(fields, number) and fields[2] != (None if number else "613"),
                      (fields, result.stderr))
    else:
        print("SKIP install: no systemd-sysusers here")


def after(root):
    """What runs behind an install into the running system, with the system's tools played."""
    tools = ("systemd-sysusers", "systemd-tmpfiles", "systemctl", "groupadd", "useradd", "rsyslogd")
    played(root, {tool: "" for tool in tools})
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
users()
made()
sys.exit(1 if failed else 0)
