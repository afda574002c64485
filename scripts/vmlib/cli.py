# SPDX-License-Identifier: GPL-2.0-or-later
"""The commands of scripts/vm: options in, one guest (or one list) out."""

import argparse
import os
import pathlib
import sys

from . import debian, guest, kernels, link, mini, modules, payload
from .common import ROOT, Failure, cache_dir, say, scratch

EPILOG = """exit codes of run: the command's own; 124 the time limit was reached; 125 the guest
panicked or could not be started; 69 a tool or a kernel is missing; 2 usage.
The cache is $KEYTRAIL_CACHE, else $XDG_CACHE_HOME/keytrail, else ~/.cache/keytrail."""

LINK_EPILOG = """scripts/vm link --kernel 6.1 --image mini -- one='ping -c 1 two' two='sleep 60'

boots guests by these names, each with a command line for its sh, on a network that has no other
members: 192.0.2.1 is the first, 192.0.2.2 the second, and names are known. Each line of output
begins with the guest's name. When a command ends its guest goes off; when one fails the others are
ended. The exit code is 0 if all commands end with 0, else that of the first that did not.
--copy and --timeout are for each guest; --console FILE keeps FILE.NAME of each."""


def images():
    """name -> (mem MiB, time limit s, words for the kernel, function that gives the disk)."""
    return {
        "mini": (mini.MEM, mini.TIMEOUT, "", lambda: ""),
        "debian": (debian.MEM, debian.TIMEOUT,
                   "rdinit=/init-debian systemd.unit=kt-command.target systemd.show_status=no "
                   "systemd.default_timeout_start_sec=300", debian.image),
    }


def boot(args, command, pty=False, sinks=None, terminal=None, mem=None, peer=None):
    """Boots one guest for one command. Returns its Outcome. peer: its place on a link
    (link.Peer)."""
    default_mem, limit, words, make_disk = images()[args.image]
    kernel = kernels.get(args.kernel)
    if kernel.lacks and args.image != "mini":
        raise kernels.Unavailable(f"{kernel.release}: the archive no longer has {kernel.lacks}, "
                                  "without which it sees no disk", 69)
    disk = make_disk()
    with scratch() as tmp:
        payload.make(tmp / "payload.cpio", args.image, pathlib.Path(args.build).resolve(), command,
                     args.copy, pty, args.tests, peer)
        machine = guest.Machine(
            kernel=kernel.vmlinuz, disk=disk, smp=args.smp, in_turns=args.in_turns,
            mem=args.mem or mem or default_mem,
            icount=args.icount, append=f"{words} {peer.APPEND if peer else ''} {args.append}",
            cables=peer.cables if peer else [], mac=peer.mac if peer else "",
            initramfs=[mini.image(), modules.initramfs(kernel), tmp / "payload.cpio"])
        log = None
        if args.console:
            log = open(args.console + (f".{peer.name}" if peer else ""), "wb")
        limit = args.timeout if args.timeout is not None else limit
        one = guest.Guest(machine, tmp, log, args.verbose, peer.given_up if peer else None)
        return one.run(0 if pty else limit, sinks, terminal)


def write_to(stream):
    """A sink that writes through, so that a person sees output as it comes."""
    def write(data):
        stream.buffer.write(data)
        stream.buffer.flush()
    return write


def report(outcome, whose=""):
    """Says what went wrong beside the command, with the console's end."""
    if outcome.trouble == guest.GIVEN_UP:
        say(whose + outcome.trouble)
    elif outcome.trouble:
        say(whose + outcome.trouble + "; the console ends with:")
        print(guest.console_tail(outcome), file=sys.stderr)
    else:
        for line in outcome.complaints:
            say(f"{whose}the guest's kernel complained: {line}")


def cmd_run(args):
    """scripts/vm run"""
    if not args.command:
        raise Failure("run: no command; write it after --", 2)
    outcome = boot(args, args.command, sinks={"out": write_to(sys.stdout),
                                              "err": write_to(sys.stderr)})
    report(outcome)
    if args.times:
        say(f"up after {outcome.boot_seconds:.1f} s, off after {outcome.seconds:.1f} s")
    return outcome.code


def cmd_link(args):
    """scripts/vm link: several guests that see each other, each with a command line for its sh."""
    commands = link.parse(args.command)
    tell = link.Lines()

    def one(peer):
        sinks = {"out": tell.sink(peer.name, sys.stdout), "err": tell.sink(peer.name, sys.stderr)}
        return boot(args, ["sh", "-c", commands[peer.name]], sinks=sinks, peer=peer)

    outcomes = link.run(list(commands), one)
    tell.end()
    for name, outcome in outcomes.items():
        report(outcome, f"{name}: ")
        if args.times:
            say(f"{name}: up after {outcome.boot_seconds:.1f} s, off after {outcome.seconds:.1f} s")
    return link.code(outcomes)


def cmd_shell(args):
    """scripts/vm shell"""
    if not sys.stdin.isatty():
        raise Failure("shell: standard input is no terminal; use run", 2)
    say("booting; leave with exit or Ctrl-D")
    with guest.raw_terminal(sys.stdin.fileno()):
        shell = "/bin/sh" if args.image == "mini" else "/bin/bash"
        sinks = {"out": write_to(sys.stdout), "err": write_to(sys.stderr)}
        outcome = boot(args, ["env", "TERM=" + os.environ.get("TERM", "linux"), shell, "-l"],
                       pty=True, sinks=sinks, terminal=sys.stdin.fileno())
    report(outcome)
    return outcome.code


def cmd_kernels(args):
    """scripts/vm kernels"""
    bad = 0
    for line in args.lines or kernels.MATRIX:
        try:
            kernel = kernels.get(line, refresh=args.refresh)
            print(f"{line:6} {kernel.release}")
        except kernels.Unavailable as reason:
            print(f"{line:6} SKIPPED: {reason}")
            bad |= line in kernels.NEVER_SKIPPED
    return 1 if bad else 0


def cmd_image(args):
    """scripts/vm image"""
    print(images()[args.image][3]() or mini.image())
    return 0


def cmd_btf(args):
    """scripts/vm btf: a guest hands its kernel's BTF over; it is kept in the cache."""
    kernel = kernels.get(args.kernel)
    place = cache_dir() / "btf" / f"{kernel.release}.btf"
    if not place.exists():
        place.parent.mkdir(exist_ok=True)
        args.image = "mini"
        taken = bytearray()
        outcome = boot(args, ["cat", "/sys/kernel/btf/vmlinux"],
                       sinks={"out": taken.extend, "err": write_to(sys.stderr)})
        report(outcome)
        if outcome.code:
            return outcome.code
        new = place.with_suffix(".new")
        new.write_bytes(taken)
        new.rename(place)
    print(place)
    return 0


def parser():
    """All options in one place."""
    top = argparse.ArgumentParser(prog="scripts/vm", epilog=EPILOG,
                                  formatter_class=argparse.RawDescriptionHelpFormatter,
                                  description="Runs a command with keytrail in a guest.")
    subs = top.add_subparsers(dest="what", required=True, metavar="COMMAND")
    machine = argparse.ArgumentParser(add_help=False)
    machine.add_argument("--kernel", required=True, metavar="LINE",
                         help=f"{', '.join(kernels.MATRIX)}, or N.M of trixie-backports")
    machine.add_argument("--build", default=os.environ.get("KEYTRAIL_BUILD", str(ROOT / "build")),
                         metavar="DIR", help="where keytrail's programs were built (build/)")
    machine.add_argument("--copy", action="append", default=[], metavar="FILE:DEST",
                         help="a file or directory to put into the guest; may be repeated")
    machine.add_argument("--tests", default=str(ROOT / "tests/vm"), metavar="DIR",
                         help="what becomes /kt/tests (tests/vm)")
    machine.add_argument("--icount", action="store_true",
                         help="one CPU that counts instructions: figures repeat")
    machine.add_argument("--smp", type=int, default=1, metavar="N",
                         help="CPUs (1; with more, TCG can run code that the kernel has just patched)")
    machine.add_argument("--in-turns", action="store_true",
                         help="the CPUs run in turns, in one thread: slower, without that trap")
    machine.add_argument("--mem", type=int, metavar="MIB", help="memory")
    machine.add_argument("--append", default="", metavar="WORDS",
                         help="more words for the kernel's command line")
    machine.add_argument("--timeout", type=float, metavar="S",
                         help="end the guest after so many seconds, 0 for never")
    machine.add_argument("--console", metavar="FILE", help="keep the console's output")
    machine.add_argument("-v", "--verbose", action="store_true",
                         help="show the console as it comes")
    with_image = argparse.ArgumentParser(add_help=False, parents=[machine])
    with_image.add_argument("--image", required=True, choices=list(images()))

    one = subs.add_parser("run", parents=[with_image], help="run a command, exit with its code",
                          epilog=EPILOG)
    one.add_argument("--times", action="store_true", help="say how long boot and run took")
    one.set_defaults(do=cmd_run, command=[])
    one = subs.add_parser("link", parents=[with_image], epilog=LINK_EPILOG,
                          formatter_class=argparse.RawDescriptionHelpFormatter,
                          help="several guests on a network of their own")
    one.add_argument("--times", action="store_true", help="say how long boots and runs took")
    one.set_defaults(do=cmd_link, command=[])
    subs.add_parser("shell", parents=[with_image],
                    help="a shell for a person").set_defaults(do=cmd_shell)
    one = subs.add_parser("kernels", help="list the kernels, fetch those that are not there")
    one.add_argument("--refresh", action="store_true", help="look for newer ones now")
    one.add_argument("lines", nargs="*", metavar="LINE")
    one.set_defaults(do=cmd_kernels)
    one = subs.add_parser("image", help="build an image")
    one.add_argument("image", choices=list(images()))
    one.set_defaults(do=cmd_image)
    subs.add_parser("btf", parents=[machine],
                    help="keep a kernel's BTF in the cache").set_defaults(do=cmd_btf)
    return top


def main(argv):
    """Entry of scripts/vm."""
    command = []
    if "--" in argv:
        cut = argv.index("--")
        argv, command = argv[:cut], argv[cut + 1:]
    args = parser().parse_args(argv)
    args.command = command
    guest.stop_on_signals()
    try:
        return args.do(args)
    except Failure as bad:
        say(str(bad))
        return bad.code
    except KeyboardInterrupt:
        return 130
