# SPDX-License-Identifier: GPL-2.0-or-later
"""Plans the guests of scripts/bench-vm, reads what they print, keeps and compares figures."""

import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import statistics
import time

from . import cli, guest, kernels, payload, peers
from .common import ROOT, Failure, run

BENCH = ROOT / "tests/bench/vm"
FIGURES = BENCH / "figures.json"
# As a machine is booted, mitigations and all; without the chance of where things are put.
WORDS = "mitigations=auto norandmaps"
MEM, TIMEOUT = 1024, 1500
TOLERANCE = 0.02  # of a ratio, beyond the spread of either side
OPS = ("open", "open-varied", "absent", "watched-absent", "watched-refused", "pread", "write", "write-close",
       "stat", "mmap", "rename", "connect", "send-unix", "send-tcp", "vfork-exec", "fork-exec", "ps",
       "compile", "watched-open", "holder-vfork-exec")
PEERS = ("audit-watch", "audit-opens", "fatrace", "inotifywait", "bpftrace")
NEEDS = {"audit-watch": ("auditd",), "audit-opens": ("auditd",), "fatrace": ("fatrace",),
         "inotifywait": ("inotifywait",), "bpftrace": ("bpftrace",)}

# group -> (most watched files, what is measured in one boot, one after the other)
GROUPS = {
    "price": (1000, ["nothing", "empty", "kt:10", "kt:1000", "nothing:end"]),
    "many": (100000, ["nothing:100000", "kt:100000"]),
    "exact": (10, ["nothing", "exact:10"]),
    "refused": (10, ["nothing", "kt:10", "refused:10"]),
    "memory": (10, ["nothing", "kt:10", "memory:10"]),
    "start": (10000, ["start:10000"]),
    **{peer: (10, ["nothing", peer]) for peer in PEERS},
}
ALONE = ("burst", "verifier")  # groups of one boot of their own kind
TABLES = (("price", "many"), ("exact", "refused", "memory"), PEERS)

# What the project has set itself: (operation, mode, at most so many times of nothing).
TARGETS = [
    ("open", "kernel", 1.05), ("open-varied", "kernel", 1.05), ("pread", "kernel", 1.005),
    ("vfork-exec", "kernel", 1.02), ("fork-exec", "kernel", 1.02), ("vfork-exec", "agent", 1.06),
    ("fork-exec", "agent", 1.06), ("send-unix", "kernel", 1.05), ("send-tcp", "kernel", 1.05),
    ("rename", "kernel", 1.03), ("connect", "kernel", 1.03), ("compile", "agent", 1.01),
    ("watched-open", "agent", 2.5),
]
EXACT_TARGETS = [("pread", "kernel", 1.14)]


class Figures:
    """Lines of all boots of one kernel, and what follows from them."""

    def __init__(self):
        self.boots = []  # one dict a boot: (label, mode, op) -> (quartile, mean, agent)
        self.facts = {}  # name -> values, one a boot

    def add(self, text):
        """The output of one guest."""
        boot = {}
        for line in text.splitlines():
            words = line.split()
            if words[:1] == ["fact"]:
                self.facts.setdefault(words[1], []).append(" ".join(words[2:]))
            elif len(words) == 7 and words[1] in ("kernel", "agent"):
                boot[tuple(words[:3])] = tuple(float(w) for w in words[4:])
        self.boots.append(boot)

    def rows(self):
        """What is kept: a row for each label, mode and operation, medians over the boots."""
        out = {}
        for label, mode, op in sorted({key for boot in self.boots for key in boot}):
            if label.startswith("nothing") or op == "idle":
                continue
            ratios, costs, agents = [], [], []
            for boot in self.boots:
                mine = boot.get((label, mode, op))
                base = self.baseline(boot, op, mode)
                if mine and base:
                    value = mine[0 if mode == "kernel" else 1]
                    ratios.append(value / base)
                    costs.append(value)
                    agents.append(mine[2])
            if ratios:
                out[f"{label} {mode} {op}"] = {
                    "ratio": round(statistics.median(ratios), 4),
                    "low": round(min(ratios), 4), "high": round(max(ratios), 4),
                    "cost": round(statistics.median(costs)),
                    "agent": round(statistics.median(agents)), "boots": len(ratios)}
        return out

    def baseline(self, boot, op, mode):
        """Nothing, in the same boot: before the monitors and after them."""
        at = 0 if mode == "kernel" else 1
        values = [v[at] for (label, _, name), v in boot.items()
                  if label.startswith("nothing") and name == op]
        return statistics.mean(values) if values else None

    def nothing(self):
        """Without a monitor: cost of each operation, and how far its measurements lie apart."""
        out = {}
        for op in OPS:
            values = [v[0] for boot in self.boots for (label, _, name), v in boot.items()
                      if label.startswith("nothing") and name == op]
            if values:
                out[op] = {"cost": round(statistics.median(values)),
                           "low": round(min(values)), "high": round(max(values))}
        return out


def boot(args, kernel, command, copies, mem, icount, smp):
    """One guest. Returns what it printed."""
    out, err = bytearray(), bytearray()
    options = ["run", "--kernel", kernel, "--image", "mini", "--build", args.build, "--mem", str(mem),
               "--timeout", str(TIMEOUT), "--append", WORDS, "--smp", str(smp)]
    options += ["--icount"] if icount else []
    for spec in copies:
        options += ["--copy", spec]
    parsed = cli.parser().parse_args(options)
    outcome = cli.boot(parsed, command, sinks={"out": out.extend, "err": err.extend})
    if outcome.code or outcome.trouble:
        raise Failure(f"{' '.join(command)}: {outcome.trouble or outcome.code}\n"
                      + err.decode(errors="replace")[-2000:] + guest.console_tail(outcome))
    for line in err.decode(errors="replace").splitlines():
        print(f"    | {line}", flush=True)
    return out.decode(errors="replace")


def own_copies(args, programs):
    """--copy for our programs and the named ones of Debian's."""
    built = pathlib.Path(args.build) / "tests/bench/vm"
    out = [f"{built / name}:/kt/bench/" for name in ("ops", "nothing", "empty-hooks", "verifier")]
    out += [f"{path}:/kt/bench/" for path in sorted(BENCH.glob("*.sh"))]
    if programs:
        place = peers.fetch(programs)
        out += [f"{p}:/kt/bench/" for p in sorted(place.iterdir())
                if p.is_file() and p.name in peers.PROGRAMS]
        out += [f"{p}:/usr/lib/x86_64-linux-gnu/" for p in sorted((place / "lib").iterdir())]
    return out


def measure(args, kernel, group):
    """One boot of a group: what it printed."""
    if group == "burst":
        return boot(args, kernel, ["/kt/bench/burst.sh", str(args.burst)], own_copies(args, ()), MEM,
                    False, 2)
    if group == "verifier":
        text = boot(args, kernel, ["/kt/bench/verifier"], own_copies(args, ()), MEM, False, 1)
        return "\n".join(f"fact verifier:{line}" for line in text.splitlines())
    most, what = GROUPS[group]
    programs = [] if group == "start" else ["tcc", *NEEDS.get(group, ())]
    mem = 2048 if group == "bpftrace" else MEM
    return boot(args, kernel, ["/kt/bench/guest.sh", str(most), *what], own_copies(args, programs),
                mem, True, 1)


def measure_and_keep(args, kernel, group):
    """The same; with --keep it stays there, whatever becomes of the other boots."""
    text = measure(args, kernel, group)
    if args.keep:
        place = pathlib.Path(args.keep) / kernel
        place.mkdir(parents=True, exist_ok=True)
        new = place / f"{group}.{time.time_ns()}"
        new.with_suffix(".new").write_text(text)
        new.with_suffix(".new").rename(new)
    return text


def kept_boots(args, kernel, group):
    """What boots of a group printed that --keep has kept."""
    if not args.keep:
        return []
    return [p.read_text() for p in sorted(pathlib.Path(args.keep, kernel).glob(f"{group}.*"))
            if p.suffix != ".new"]


def in_order(values):
    """What the boots have found: one word if it is the same, else the middle one first."""
    if len(set(values)) == 1 or not all(v.isdigit() for v in values):
        return values[0]
    middle = statistics.median_low(sorted(map(int, values)))
    return [str(middle), *(v for v in values if int(v) != middle)]


def collect(args):
    """All boots. Returns what is kept as JSON."""
    kept = {}
    payload.build(pathlib.Path(args.build).resolve())
    run(["make", "-C", ROOT, "--no-print-directory", f"BUILD={args.build}", "bench-programs"],
        env=payload.make_env())
    for line in args.kernels.split():
        try:
            kernel = kernels.get(line)
        except kernels.Unavailable as reason:
            print(f"{line}: skipped: {reason}", flush=True)
            continue
        result = {"release": kernel.release, "groups": {}, "facts": {}}
        for group in args.only:
            figures = Figures()
            boots = min(args.boots, 1) if group in ALONE else args.boots
            for text in kept_boots(args, line, group):
                figures.add(text)
            with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
                jobs = [pool.submit(measure_and_keep, args, line, group) for _ in range(boots)]
                for number, job in enumerate(jobs):
                    figures.add(job.result())
                    print(f"{line} {group}: boot {number + 1} of {boots}", flush=True)
            if any(figures.boots):
                result["groups"][group] = {"nothing": figures.nothing(), "rows": figures.rows()}
            result["facts"].update({k: in_order(v) for k, v in figures.facts.items()})
        kept[line] = result
    return kept


# --- for people ------------------------------------------------------------------------------------

def cell(row, width=0):
    """1.03, or a range where it is wide."""
    if not row:
        return "-"
    spread = f" ({row['low']:.3f}-{row['high']:.3f})" if row["high"] - row["low"] > 0.01 else ""
    return f"{row['ratio']:.3f}{spread}"


def costs(result, groups):
    """One table: operations by the configurations of these groups."""
    data = {g: result["groups"][g] for g in groups if g in result["groups"]}
    columns = sorted(((g, label, mode) for g in data
                      for label, mode in dict.fromkeys(tuple(k.split()[:2]) for k in data[g]["rows"])),
                     key=lambda c: (groups.index(c[0]), c[1] != "empty", len(c[1]), c[1], c[2] != "kernel"))
    if not columns:
        return []
    out = ["| operation | nothing | " + " | ".join(f"{label} {mode}" for _, label, mode in columns) + " |",
           "|---|--:|" + "--:|" * len(columns)]
    for op in OPS:
        base = next((d["nothing"][op] for d in data.values() if op in d["nothing"]), None)
        cells = [cell(data[g]["rows"].get(f"{label} {mode} {op}")) for g, label, mode in columns]
        if base and set(cells) != {"-"}:
            out.append(f"| {op} | {base['cost']:,} | " + " | ".join(cells) + " |")
    return [*out, ""]


def fact(value):
    """What was found in each boot: the median, and the range where they differ."""
    if isinstance(value, str):
        return value
    numbers = sorted(float(v) for v in value)
    return f"{statistics.median(numbers):,.0f} ({numbers[0]:,.0f}-{numbers[-1]:,.0f})"


def table(kept):
    """The figures as tables of Markdown."""
    out = []
    for line, result in kept.items():
        tables = [costs(result, groups) for groups in TABLES]
        if any(tables):
            boots = {g: max(row["boots"] for row in d["rows"].values())
                     for g, d in result["groups"].items() if d["rows"]}
            out += [f"Kernel {line} ({result['release']}); boots: "
                    + ", ".join(f"{group} {nr}" for group, nr in boots.items()), ""]
        for one in tables:
            out += one
        facts = {k: v for k, v in result["facts"].items() if not k.startswith(("verifier:", "hook:"))}
        out += [f"- {name}: {fact(value)}" for name, value in sorted(facts.items())]
        out.append("")
    programs = sorted({k for r in kept.values() for k in r["facts"] if k.startswith("verifier:")})
    if programs:
        out += ["| program | " + " | ".join(kept) + " |", "|---|" + "--:|" * len(kept)]
        for name in programs:
            cells = [str(r["facts"].get(name, "-")).split()[0] for r in kept.values()]
            out.append(f"| {name.removeprefix('verifier:')} | " + " | ".join(cells) + " |")
        sums = [sum(int(w.split()[0]) for k, w in r["facts"].items()
                    if k in programs and w.split()[0].isdigit()) for r in kept.values()]
        out.append("| all | " + " | ".join(f"{n:,}" for n in sums) + " |")
    return "\n".join(out)


def targets(kept):
    """Lines about the targets: met, or missed by how much beyond the spread."""
    out = []
    for line, result in kept.items():
        for group, data in result["groups"].items():
            for op, mode, limit in EXACT_TARGETS if group == "exact" else TARGETS:
                for key, row in data["rows"].items():
                    label, row_mode, name = key.split()
                    if (name, row_mode) == (op, mode) and label.startswith(("kt:", "exact:", "refused:", "memory:")):
                        word = ("met" if row["ratio"] <= limit else
                                "within the spread" if row["low"] <= limit else "MISSED")
                        out.append(f"{line} {label:10} {op:12} {mode:6} {row['ratio']:.3f} "
                                   f"(at most {limit}): {word}")
    return "\n".join(out)


# --- comparing -------------------------------------------------------------------------------------

def regressions(new, old):
    """What has become dearer by more than the tolerance beyond both spreads: lines of words."""
    out = []
    for line, result in new.items():
        before = old.get(line)
        if not before:
            continue
        for group, data in result["groups"].items():
            rows = before["groups"].get(group, {}).get("rows", {})
            for key, row in data["rows"].items():
                was = rows.get(key)
                if not was or key.split()[0] in PEERS:
                    continue
                if row["low"] > was["high"] * (1 + TOLERANCE):
                    out.append(f"{line} {key}: {row['ratio']:.3f} of nothing, was {was['ratio']:.3f}")
        for name, value in result["facts"].items():
            was = before["facts"].get(name)
            out += fact_regression(line, name, value, was)
    return out


def fact_regression(line, name, value, was):
    """One fact against the committed one."""
    value, was = (v if isinstance(v, (str, type(None))) else v[0] for v in (value, was))
    if name == "lost" and int(value) > 0:
        return [f"{line} burst: {value} events lost"]
    if name.startswith("verifier:") and was and value.split()[0].isdigit() and was.split()[0].isdigit():
        now, then = int(value.split()[0]), int(was.split()[0])
        if now > then * 1.1 + 50:
            return [f"{line} {name}: {now} instructions for the verifier, were {then}"]
    elif name.startswith("verifier:") and was and value.split()[0] != was.split()[0]:
        return [f"{line} {name}: {value}, was {was}"]
    if re.match(r"rss_kib:|(all_)?hooks_ms:", name) and was:
        now, then = float(value), float(was)
        if now > then * 1.1:
            return [f"{line} {name}: {now:g}, was {then:g}"]
    return []


def parser():
    """Options."""
    top = argparse.ArgumentParser(prog="scripts/bench-vm", description="What keytrail costs.")
    top.add_argument("--kernels", default="6.1", metavar="LINES", help='"6.1" by default')
    top.add_argument("--boots", type=int, default=5, metavar="N", help="of each group (5)")
    top.add_argument("--only", action="append", default=[], metavar="GROUP",
                     help=f"of {', '.join([*GROUPS, *ALONE])}; all if none is named")
    top.add_argument("--jobs", type=int, default=max(1, (os.cpu_count() or 1) // 2), metavar="N",
                     help="guests at a time")
    top.add_argument("--burst", type=int, default=200000, metavar="N", help="opens in the burst")
    top.add_argument("--build", default=os.environ.get("BUILD", str(ROOT / "build")), metavar="DIR")
    top.add_argument("--keep", metavar="DIR",
                     help="keep there what each boot printed; figures are of all boots that are there")
    top.add_argument("--json", metavar="FILE", help="keep the figures there, beside those of other groups")
    top.add_argument("--table", metavar="FILE", help="only print kept figures")
    top.add_argument("--check", metavar="FILE", help="only compare kept figures, with:")
    top.add_argument("--against", default=str(FIGURES), metavar="FILE", help="tests/bench/vm/figures.json")
    return top


def beside(path, kept):
    """Writes figures into a file, beside what it has of other kernels and groups."""
    whole = read(path) if path.exists() else {}
    for line, result in kept.items():
        old = whole.setdefault(line, {"groups": {}, "facts": {}})
        old["release"] = result["release"]
        old["groups"].update(result["groups"])
        old["facts"].update(result["facts"])
    path.write_text(json.dumps(whole, indent=1, sort_keys=True) + "\n")
    return whole


def read(path):
    """Kept figures."""
    return json.loads(pathlib.Path(path).read_text())


def main(argv):
    """Entry of scripts/bench-vm."""
    args = parser().parse_args(argv)
    unknown = [g for g in args.only if g not in GROUPS and g not in ALONE]
    if unknown:
        print(f"bench-vm: no such group: {unknown[0]}")
        return 2
    if args.table:
        print(table(read(args.table)) + "\n" + targets(read(args.table)))
        return 0
    if args.check:
        dearer = regressions(read(args.check), read(args.against))
        print("\n".join(dearer) or "nothing has become dearer")
        return 1 if dearer else 0
    args.only = args.only or [*GROUPS, *ALONE]
    guest.stop_on_signals()
    try:
        kept = collect(args)
    except Failure as bad:
        print(f"bench-vm: {bad}")
        return bad.code or 1
    except KeyboardInterrupt:
        return 130
    if args.json:
        kept = beside(pathlib.Path(args.json), kept)
    print(table(kept) + "\n" + targets(kept))
    return 0
