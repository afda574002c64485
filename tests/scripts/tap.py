# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the functions of a test file and reports in TAP, for tests of the tools in scripts/."""
import os
import subprocess
import sys
import traceback

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Skip(Exception):
    """Raised by a test that cannot be had here; says why."""


def tool(name):
    return os.path.join(ROOT, "scripts", name)


def write(root, files, executable=()):
    """Makes a tree of {path: text}."""
    for path, text in files.items():
        full = os.path.join(root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8", newline="") as f:
            f.write(text)
        if path in executable or text.startswith("#!"):
            os.chmod(full, 0o755)


def run(command, **options):
    """(exit status, standard output and error together)"""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          stdin=subprocess.DEVNULL, timeout=120, check=False, **options)
    return done.returncode, done.stdout


def equal(got, expected, about=""):
    if got != expected:
        raise AssertionError(f"{about}\n  expected: {expected!r}\n  got:      {got!r}")


def contains(text, part):
    if part not in text:
        raise AssertionError(f"does not contain {part!r}:\n{text}")


def main(cases):
    """cases: {name: function without arguments}"""
    print(f"1..{len(cases)}", flush=True)
    failed = False
    for number, (name, case) in enumerate(cases.items(), 1):
        try:
            case()
        except Skip as why:
            print(f"ok {number} - {name} # SKIP {why}", flush=True)
            continue
        except Exception:  # whatever it is, the next case runs
            failed = True
            print(f"not ok {number} - {name}")
            for line in traceback.format_exc().splitlines():
                print(f"# {line}")
        else:
            print(f"ok {number} - {name}")
        sys.stdout.flush()
    sys.exit(1 if failed else 0)
