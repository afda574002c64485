# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests in guests: which, on which kernels, what they said, and the matrix of it."""

import argparse
import concurrent.futures
import dataclasses
import fnmatch
import json
import os
import pathlib
import re
import threading
import time

from . import cli, guest, kernels, link, payload
from .common import ROOT, Failure

# linked: several Debian guests on a link, one test at a time.
IMAGES = ("mini", "debian", "linked")
# Where the Debian tests are run when nobody says on which kernels: Debian 12's own and the newest.
DEBIAN_KERNELS = ("6.1", "7.x")
LIMIT = 360  # seconds for one test file
DEATHS = 3  # guests that may die over the tests of one image and kernel


@dataclasses.dataclass
class Result:
    """What one line of a test said."""

    kernel: str
    image: str
    test: str
    name: str
    result: str  # ok, not ok, skip
    reason: str = ""


@dataclasses.dataclass
class Test:
    """A test file."""

    image: str
    file: str  # below tests/vm
    kernels: list  # empty: all
    alone: bool  # in a guest of its own
    cpus: int = 1
    mem: int = 0  # MiB, 0: what the image has
    limit: int = 0  # seconds, 0: --limit
    guests: list = dataclasses.field(default_factory=list)  # names, of a test for several

    @property
    def base(self):
        """boot, for mini/boot.test.sh"""
        return self.file.split("/")[-1].removesuffix(".test.sh")

    def wanted_on(self, line, kernel):
        """Whether it is for this kernel."""
        return not self.kernels or line in self.kernels or kernel.short in self.kernels


def find(tests, images, only):
    """The test files of these images, those that match if there is a pattern."""
    out = []
    for image in images:
        for path in sorted((pathlib.Path(tests) / image).glob("*.test.sh")):
            base = path.name.removesuffix(".test.sh")
            if only and not any(fnmatch.fnmatch(base, o) or fnmatch.fnmatch(f"{image}/{base}", o)
                                for o in only):
                continue
            text = path.read_text()
            head = re.search(r"^# kernels: (.*)$", text, re.M)
            lines = head.group(1).split() if head else []
            more = re.search(r"^# long kernels: (.*)$", text, re.M)
            if more and os.environ.get("LONG"):
                lines += more.group(1).split()
            long = re.search(r"^# long: (\d+) s, (\d+) MiB$", text, re.M)
            if long and base not in only and not os.environ.get("LONG"):
                continue
            own = re.search(r"^# limit: (\d+) s$", text, re.M)
            cpus = re.search(r"^# cpus: (\d+)$", text, re.M)
            guests = re.search(r"^# guests: (.*)$", text, re.M)
            out.append(Test(image, f"{image}/{path.name}", lines,
                            cpus is not None or long is not None or guests is not None or
                            re.search(r"^# guest: own$", text, re.M) is not None,
                            int(cpus.group(1)) if cpus else 1,
                            int(long.group(2)) if long else 0,
                            int((long or own).group(1)) if long or own else 0,
                            guests.group(1).split() if guests else []))
    return out


class Reader:
    """Takes a guest's output apart into results, line by line as it comes."""

    LINE = re.compile(r"(ok|not ok|skip) (.*)")

    def __init__(self, kernel, image, tell):
        self.kernel, self.image, self.tell = kernel, image, tell
        self.results, self.done = [], []
        self.current, self.rest, self.begun, self.log = None, b"", 0, []

    def feed(self, data):
        """Bytes of the guest's output, cut anywhere."""
        self.rest += data
        *lines, self.rest = self.rest.split(b"\n")
        for raw in lines:
            self.line(raw.decode(errors="backslashreplace").rstrip("\r"))

    def add(self, name, result, reason=""):
        """One result of the test that is running."""
        self.results.append(Result(self.kernel, self.image, self.base(), name, result, reason))

    def base(self):
        """boot, for mini/boot.test.sh"""
        return self.current.split("/")[-1].removesuffix(".test.sh") if self.current else "guest"

    def line(self, line):
        """One line."""
        if line.startswith("@begin "):
            self.current, self.begun, self.log = line.split(" ", 1)[1], len(self.results), []
        elif line.startswith("@end ") and self.current:
            status, seconds = line.rsplit(" ", 2)[1:]
            self.end(int(status), int(seconds))
        elif self.current:
            self.log.append(line)
            told = self.LINE.fullmatch(line)
            if told:
                result, name = told.groups()
                reason = ""
                if result != "ok":
                    name, _, reason = name.partition(": ")
                self.add(name, result, reason)

    def end(self, status, seconds):
        """The running test has ended: one that died, or proved nothing, has failed."""
        if status == 124 or status == 143:
            self.add("runs to its end", "not ok", "ran into its time limit")
        elif status:
            self.add("runs to its end", "not ok", f"exit status {status}")
        elif len(self.results) == self.begun:
            self.add("says a result", "not ok", "it printed none")
        self.close(f"{seconds} s")

    def died(self, reason):
        """The guest has gone in the middle of the running test."""
        self.add("runs to its end", "not ok", reason)
        self.close("the guest died")

    def close(self, words):
        mine = self.results[self.begun:]
        count = {r: sum(m.result == r for m in mine) for r in ("ok", "not ok", "skip")}
        text = f"{self.kernel:6} {self.image:7} {self.base():24} {count['ok']} ok"
        text += f", {count['skip']} skipped" if count["skip"] else ""
        text += f", {count['not ok']} FAILED" if count["not ok"] else ""
        lines = [f"{text}  ({words})"]
        if count["not ok"]:
            lines += ["    | " + line for line in self.log[-80:] if line]
            lines += [f"    | not ok {m.name}: {m.reason}" for m in mine
                      if m.result == "not ok" and m.name.startswith(("runs to", "says a"))]
        self.tell("\n".join(lines))
        self.done.append(self.current)
        self.current = None


def longest_first(plan):
    """The steps (kernel, image, tests), those with most tests first: one that takes long and is
    begun last would leave the other processors without work."""
    return sorted(plan, key=lambda step: -len(step[2]))


class Runner:
    """Runs tests on kernels; keeps results."""

    def __init__(self, args):
        self.args = args
        self.lock = threading.Lock()
        self.results = []
        self.logs = pathlib.Path(args.build) / "vm"
        self.logs.mkdir(parents=True, exist_ok=True)

    def tell(self, text):
        """Progress, whole lines at a time."""
        with self.lock:
            print(text, flush=True)

    def one_guest(self, kernel, image, tests, name, peer=None):
        """Boots one guest for these tests. Returns its reader and outcome."""
        reader = Reader(kernel.short, image, self.tell)
        # What a test of several asks for is granted by tests/vm/run.
        limit = tests[0].limit if len(tests) == 1 and tests[0].limit else self.args.limit
        console = self.logs / f"console-{name}.log"
        options = ["run", "--kernel", kernel.line, "--build", self.args.build,
                   "--image", "debian" if image == "linked" else image,
                   "--tests", self.args.tests,
                   "--console", str(console),
                   "--timeout", str(sum((t.limit or limit) + 20 for t in tests))]
        if tests[0].mem:
            options += ["--mem", str(tests[0].mem)]
        if tests[0].cpus > 1:  # alone, then
            options += ["--smp", str(tests[0].cpus), "--in-turns"]
        args = cli.parser().parse_args(options)
        who = f"-{peer.name}" if peer else ""
        with open(self.logs / f"output-{name}{who}.log", "wb") as log:
            def out(data):
                log.write(data)
                log.flush()
                reader.feed(data)
            outcome = cli.boot(args, ["sh", "/kt/tests/run", str(limit)] + [t.file for t in tests],
                               sinks={"out": out, "err": out}, peer=peer)
        return reader, outcome

    def linked(self, kernel, image, tests, name):
        """Boots the guests of one test. Returns what all said as one reader, and the outcome of
        the guest that failed, or of the last one."""
        said = {}

        def one(peer):
            said[peer.name], outcome = self.one_guest(kernel, image, tests, name, peer)
            return outcome

        outcomes = link.run(tests[0].guests, one)
        first, *others = [said[n] for n in outcomes]
        for reader in others:
            first.results += reader.results
        troubled = [o for o in outcomes.values() if o.trouble or o.complaints]
        return first, troubled[0] if troubled else list(outcomes.values())[-1]

    def run(self, kernel, image, tests):
        """All tests of one image on one kernel."""
        left, number = list(tests), 0
        while left and number < DEATHS and not guest.stopping.is_set():
            number += 1
            try:
                name = f"{kernel.short}-{image}-{left[0].base if left[0].alone else number}"
                boot = self.linked if left[0].guests else self.one_guest
                reader, outcome = boot(kernel, image, left, name)
            except kernels.Unavailable as reason:
                with self.lock:
                    self.results.append(Result(kernel.short, image, "guest", "boots", "skip",
                                               str(reason)))
                return
            if outcome.trouble:
                self.tell(f"{kernel.short:6} {image:7} {outcome.trouble}; the console ends with:\n"
                          + guest.console_tail(outcome))
                if reader.current:
                    reader.died(outcome.trouble)
                else:
                    reader.add("boots", "not ok", outcome.trouble)
            elif outcome.complaints:
                reader.add("the kernel has no complaint", "not ok", outcome.complaints[0])
                self.tell(f"{kernel.short:6} {image:7} the kernel complained:\n" + "\n".join(
                    "    | " + c for c in outcome.complaints[:20]))
            else:
                reader.add("the kernel has no complaint", "ok")
            left = [t for t in left if t.file not in reader.done]
            if left and not outcome.trouble:
                reader.add("runs all its tests", "not ok", f"{left[0].file} was not run")
                number = DEATHS
            with self.lock:
                self.results += reader.results
        for test in left:
            with self.lock:
                self.results.append(Result(kernel.short, image, test.base, "runs to its end", "not ok",
                                           "not run: the guests died before"))


def table(columns, results, skipped):
    """The matrix as text. columns: heads in order; skipped: head -> reason."""
    marks = {"ok": "ok", "not ok": "FAIL", "skip": "skip"}
    rows, cells = [], {}
    for r in results:
        row = (r.image, r.test, r.name)
        if row not in cells:
            rows.append(row)
            cells[row] = {}
        before = cells[row].get(r.kernel)
        cells[row][r.kernel] = "FAIL" if "FAIL" in (before, marks[r.result]) else marks[r.result]
    rows.sort(key=lambda row: (IMAGES.index(row[0]), row[1] == "guest", row[1]))
    width = max([len(f"  {name}") for _, _, name in rows] + [20])
    lines, group = [], None
    lines.append(" " * width + "".join(f"{c:>7}" for c in columns))
    for image, test, name in rows:
        if group != (image, test):
            group = (image, test)
            lines.append(f"{image}: {test}")
        got = cells[(image, test, name)]
        lines.append(f"  {name}".ljust(width) + "".join(
            f"{got.get(c, 'SKIP' if c in skipped else '-'):>7}" for c in columns))
    return "\n".join(lines)


def main(argv):
    """Entry of scripts/check-vm."""
    top = argparse.ArgumentParser(prog="scripts/check-vm", description=__doc__)
    top.add_argument("--kernels", default=os.environ.get("KERNELS", ""), metavar="LINES",
                     help=f"\"{' '.join(kernels.MATRIX)}\", each with all images; when not given: "
                          f"all with mini, {' and '.join(DEBIAN_KERNELS)} with debian")
    top.add_argument("--images", default=" ".join(IMAGES))
    top.add_argument("--build", default=os.environ.get("BUILD") or str(ROOT / "build"))
    top.add_argument("--tests", default=str(ROOT / "tests/vm"), metavar="DIR",
                     help="where the tests are (tests/vm)")
    top.add_argument("--only", action="append", default=[], metavar="GLOB",
                     help="tests by name (core, mini/c*); may be repeated")
    top.add_argument("--limit", type=int, default=LIMIT, metavar="S",
                     help=f"seconds for one test file ({LIMIT})")
    top.add_argument("--repeat", type=int, default=1, metavar="N", help="all of it N times")
    top.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N",
                     help="guests at the same time (one for each processor)")
    top.add_argument("--anyway", action="store_true",
                     help="on all kernels, whatever a test's \"kernels:\" says")
    top.add_argument("--no-build", action="store_true", help="take the programs as they are")
    args = top.parse_args(argv)
    began = time.monotonic()
    runner = Runner(args)
    guest.stop_on_signals()
    columns, skipped, extra, plan = [], {}, [], []
    try:
        tests = find(args.tests, args.images.split(), args.only)
        if not tests:
            raise Failure("no test matches", 2)
        if not args.no_build:
            payload.build(args.build)
        for line in args.kernels.split() or kernels.MATRIX:
            try:
                kernel = kernels.get(line)
            except kernels.Unavailable as reason:
                columns.append(line)
                skipped[line] = str(reason)
                bad = line in kernels.NEVER_SKIPPED
                extra.append(Result(line, IMAGES[0], "guest", "the kernel is to be had",
                                    "not ok" if bad else "skip", str(reason)))
                continue
            columns.append(kernel.short)
            for image in args.images.split():
                if image != "mini" and not args.kernels and line not in DEBIAN_KERNELS:
                    continue
                anyway = args.anyway or (image == "mini" and os.environ.get("LONG"))
                mine = [t for t in tests if t.image == image and
                        (anyway or t.wanted_on(line, kernel))]
                plan += [(kernel, image, part) for part in
                         [[t for t in mine if not t.alone]] + [[t] for t in mine if t.alone] if part]
        for _ in range(args.repeat):
            with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
                for future in [pool.submit(runner.run, *step) for step in longest_first(plan)
                               if step[1] != "linked"]:
                    future.result()
            for step in plan:  # several guests by itself
                if step[1] == "linked":
                    runner.run(*step)
    except Failure as bad:
        print(f"check-vm: {bad}", flush=True)
        print("0 passed, 1 failed, 0 skipped")
        return bad.code
    except KeyboardInterrupt as why:
        print(f"check-vm: stopped ({why})", flush=True)
        return 130
    return finish(runner, columns, skipped, runner.results + extra, time.monotonic() - began)


def finish(runner, columns, skipped, results, seconds):
    """Prints and keeps what came out."""
    (runner.logs / "matrix.json").write_text(json.dumps({
        "kernels": columns, "skipped": skipped, "seconds": round(seconds),
        "results": [dataclasses.asdict(r) for r in results]}, indent=1) + "\n")
    print("\n" + table(columns, results, skipped))
    for head, reason in skipped.items():
        print(f"SKIP {head}: {reason}")
    shown = set()
    for r in results:
        line = f"{'FAIL' if r.result == 'not ok' else 'skip'} {r.kernel} {r.image} {r.test}: " \
               f"{r.name}: {r.reason}"
        if r.result != "ok" and line not in shown and r.name != "the kernel is to be had":
            shown.add(line)
            print(line)
    count = {k: sum(r.result == k for r in results) for k in ("ok", "not ok", "skip")}
    print(f"logs: {runner.logs}/ ({seconds:.0f} s)")
    print(f"{count['ok']} passed, {count['not ok']} failed, {count['skip']} skipped", flush=True)
    return 1 if count["not ok"] or not count["ok"] else 0
