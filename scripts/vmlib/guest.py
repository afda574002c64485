# SPDX-License-Identifier: GPL-2.0-or-later
"""One guest from start to end: QEMU without acceleration, and the streams of its command.

Output and exit code come over virtio-serial ports of their own (see tests/vm/guest/agent.c); the
console is kept only to be shown when something goes wrong.
"""

import collections
import dataclasses
import fcntl
import os
import re
import selectors
import shutil
import signal
import socket
import struct
import subprocess
import sys
import termios
import threading
import time
import tty

from .common import tool

# Exit codes of our own, besides the command's: as timeout(1), and the shell's "cannot run".
TIMED_OUT, BROKEN = 124, 125
CONSOLE_TAIL = 40
GIVEN_UP = "ended, since another guest of its link has failed"
BOOT_LIMIT = 300  # seconds until the command has to have begun; its own time counts from there
LAST_WORDS = 4  # seconds for a hung guest to tell its console what its processes do
# What a kernel says when it has found a fault in itself.
COMPLAINTS = re.compile(rb"(?:BUG:|Oops|kernel BUG at|WARNING: CPU|general protection fault|"
                        rb"Kernel panic|rcu.*detected stall|soft lockup|INFO: task .* blocked)")

# Set when we were told to stop: every guest ends then.
stopping = threading.Event()


def stop_on_signals():
    """SIGTERM and SIGINT end the guests, and then us."""
    def stop(number, _frame):
        stopping.set()
        raise KeyboardInterrupt(signal.Signals(number).name)
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)


@dataclasses.dataclass
class Machine:
    """What the guest is made of."""

    kernel: str
    initramfs: list
    disk: str = ""
    smp: int = 1
    in_turns: bool = False  # the CPUs share one thread of this machine
    mem: int = 512
    icount: bool = False
    append: str = ""
    cables: list = dataclasses.field(default_factory=list)  # descriptors: one for each neighbour
    mac: str = ""


@dataclasses.dataclass
class Outcome:
    """What became of the command. code is the command's unless trouble says otherwise."""

    code: int
    trouble: str = ""
    console: bytes = b""
    complaints: list = dataclasses.field(default_factory=list)
    seconds: float = 0.0
    boot_seconds: float = 0.0


def qemu_argv(machine, fds, initrd):
    """The command line of QEMU. fds: port name -> descriptor that QEMU inherits."""
    smp = 1 if machine.icount else machine.smp
    append = ("console=ttyS0 loglevel=5 panic=-1 oops=panic mitigations=off nokaslr "
              "random.trust_cpu=on no_timer_check tsc=reliable "
              # A busy host is no fault of the guest's kernel, which suspects itself after 20 s.
              "rcupdate.rcu_cpu_stall_timeout=120 sysctl.kernel.watchdog_thresh=60 "
              "sysctl.kernel.hung_task_timeout_secs=600 ")
    if machine.icount:
        append += "clocksource=tsc "
    # setpriv: whatever becomes of us, no QEMU is left behind
    argv = [tool("setpriv"), "--pdeathsig", "KILL", tool("qemu-system-x86_64"), "-nodefaults", "-no-user-config", "-display", "none",
            "-no-reboot", "-machine", "pc,usb=off,graphics=off",
            # cmpxchg16b corrupts flags under TCG with several CPUs (QEMU 7.2). With erms the kernel
            # clears and copies by the byte, which TCG does one by one: a start of keytraild takes
            # a quarter longer. Where instructions are counted it stays, for what was counted before.
            "-cpu", "max,-cx16" + ("" if machine.icount else ",-erms,-fsrm"),
            "-accel", "tcg,thread=" + ("single" if machine.icount or machine.in_turns else "multi"),
            "-smp", str(smp), "-m", str(machine.mem),
            "-kernel", str(machine.kernel), "-initrd", str(initrd),
            "-append", append + machine.append,
            "-device", "virtio-rng-pci",
            "-device", "virtio-serial-pci,max_ports=8"]
    if machine.icount:
        argv += ["-icount", "shift=0,sleep=off"]
    for name, fd in fds.items():
        argv += ["-chardev", f"socket,id={name},fd={fd}"]
        if name == "console":
            argv += ["-serial", "chardev:console"]
        else:
            argv += ["-device", f"virtserialport,chardev={name},name=kt.{name}"]
    if machine.disk:
        argv += ["-drive", f"file={machine.disk},format=raw,if=none,id=root,snapshot=on,"
                           "cache=unsafe,aio=threads",
                 "-device", "virtio-blk-pci,drive=root"]
    return argv + network(machine)


def network(machine):
    """Words for a card that is joined with the machine's cables by a hub of QEMU's own; without
    cables there is no network at all."""
    if not machine.cables:
        return []
    argv = ["-netdev", "hubport,id=card,hubid=0",
            "-device", f"virtio-net-pci,netdev=card,mac={machine.mac},romfile="]
    for number, fd in enumerate(machine.cables):
        argv += ["-netdev", f"stream,id=cable{number},server=off,addr.type=fd,addr.str={fd}",
                 "-netdev", f"hubport,id=port{number},hubid=0,netdev=cable{number}"]
    return argv


class Guest:
    """Boots a machine, carries streams, sees to it that it ends."""

    PORTS = ("ctl", "out", "err", "in", "console")

    def __init__(self, machine, scratch, console_log=None, verbose=False, given_up=None):
        """given_up: an event by which others say that nobody waits for this one any more."""
        self.machine = machine
        self.given_up = given_up or threading.Event()
        self.scratch = scratch
        self.console = bytearray()
        self.tail = collections.deque(maxlen=2000)
        self.console_log = console_log
        self.verbose = verbose
        self.code = None
        self.started = None
        self.ctl = b""

    def _start(self):
        initrd = self.scratch / "initrd"
        with open(initrd, "wb") as whole:
            for part in self.machine.initramfs:
                with open(part, "rb") as piece:
                    shutil.copyfileobj(piece, whole, 1 << 20)
                whole.write(b"\0" * (-whole.tell() % 512))
        ends = {name: socket.socketpair() for name in self.PORTS}
        for _, theirs in ends.values():
            theirs.set_inheritable(True)
        argv = qemu_argv(self.machine, {n: e[1].fileno() for n, e in ends.items()}, initrd)
        self.began = time.monotonic()
        self.qemu = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=open(self.scratch / "qemu.log", "wb"),
            env=dict(os.environ, TMPDIR=str(self.scratch)),
            pass_fds=[e[1].fileno() for e in ends.values()] + self.machine.cables,
            start_new_session=True)
        for _, theirs in ends.values():
            theirs.close()
        for cable in self.machine.cables:
            os.close(cable)
        self.ends = {name: ours for name, (ours, _) in ends.items()}

    def _stop(self):
        if self.qemu.poll() is None:
            self.qemu.terminate()
            try:
                self.qemu.wait(5)
            except subprocess.TimeoutExpired:
                self.qemu.kill()
                self.qemu.wait()
        for end in self.ends.values():
            end.close()

    def _heed(self, data):
        self.ctl += data
        while b"\n" in self.ctl:
            line, self.ctl = self.ctl.split(b"\n", 1)
            if line == b"start":
                self.started = time.monotonic()
            elif line.startswith(b"exit "):
                self.code = int(line.split()[1])

    def _take(self, name, data, sinks):
        if name == "ctl":
            self._heed(data)
        elif name == "console":
            self.console += data
            if self.console_log:
                self.console_log.write(data)
                self.console_log.flush()
            if self.verbose:
                sinks["err"](data)
        else:
            sinks[name](data)

    def run(self, timeout, sinks, terminal=None):
        """Runs the machine until its command has ended and it is off. sinks: out, err -> callable
        that takes bytes. terminal: a descriptor of the person's terminal, for a shell."""
        self._start()
        select = selectors.DefaultSelector()
        for name, end in self.ends.items():
            if name != "in":
                select.register(end, selectors.EVENT_READ, name)
        if terminal is not None:
            select.register(terminal, selectors.EVENT_READ, "terminal")
            signal.signal(signal.SIGWINCH, lambda *_: self._tell_size(terminal))
        limit, deadline = BOOT_LIMIT, self.began + BOOT_LIMIT if timeout else None
        trouble, off_by, sized, counting = "", None, False, False
        try:
            while True:
                now = time.monotonic()
                if self.started and terminal is not None and not sized:
                    self._tell_size(terminal)
                    sized = True
                if timeout and self.started and not counting:
                    limit, deadline, counting = timeout, self.started + timeout, True
                if self.code is not None and off_by is None:
                    off_by = now + 20  # it has said its last word; being off is a courtesy
                if off_by and now > off_by:
                    break
                if stopping.is_set():
                    trouble = "stopped by a signal"
                    break
                if self.given_up.is_set() and self.code is None:
                    trouble = GIVEN_UP
                    break
                if deadline and now > deadline and self.code is None:
                    last_words = self.started and not trouble
                    trouble = (f"no end within {limit:g} s" if self.started else
                               f"the command had not begun after {limit} s")
                    if not last_words:
                        break
                    deadline = now + LAST_WORDS
                    self.ends["ctl"].send(b"hang\n")
                ready = select.select(0.2 if self.qemu.poll() is None else 0)
                if not ready and self.qemu.poll() is not None:
                    break
                for key, _ in ready:
                    if key.data == "terminal":
                        self.ends["in"].send(os.read(terminal, 4096) or b"\x04")
                        continue
                    try:
                        data = key.fileobj.recv(65536)
                    except ConnectionResetError:
                        data = b""
                    if data:
                        self._take(key.data, data, sinks)
                    else:
                        select.unregister(key.fileobj)
        finally:
            self._stop()
        return self._outcome(trouble)

    def _tell_size(self, terminal):
        rows, columns = struct.unpack(
            "HHHH", fcntl.ioctl(terminal, termios.TIOCGWINSZ, b"\0" * 8))[:2]
        self.ends["ctl"].send(f"size {rows} {columns}\n".encode())

    def _outcome(self, trouble):
        now = time.monotonic()
        console = bytes(self.console)
        complaints = []
        for line in console.splitlines():
            if COMPLAINTS.search(line):
                complaints.append(line.decode(errors="replace").strip())
        code = self.code
        if code is not None:
            trouble = ""  # it was done just in time
        elif trouble:
            code = TIMED_OUT
        else:
            code = BROKEN
            if b"Kernel panic" in console:
                last = [c for c in complaints if "Kernel panic" in c][-1]
                trouble = f"the guest's kernel panicked: {last}"
            elif self.qemu.returncode:
                words = (self.scratch / "qemu.log").read_text(errors="replace").strip()
                trouble = f"QEMU ended with {self.qemu.returncode}: {words[-500:]}"
            else:
                trouble = ("the guest went off before the command had ended" if self.started
                           else "the guest went off before the command had begun")
        return Outcome(code, trouble, console, complaints, now - self.began,
                       (self.started or now) - self.began)


def console_tail(outcome):
    """The end of the console, for a person."""
    text = re.sub(r"\x1b(\[[0-9;?=]*[A-Za-z]|c)", "", outcome.console.decode(errors="replace"))
    lines = [line for line in text.replace("\r", "").splitlines() if line.strip()]
    return "\n".join("    | " + line for line in lines[-CONSOLE_TAIL:])


class raw_terminal:
    """The person's terminal in raw mode while a shell in the guest has it."""

    def __init__(self, fd):
        self.fd = fd

    def __enter__(self):
        self.old = termios.tcgetattr(self.fd)
        tty.setraw(self.fd)

    def __exit__(self, *exc):
        termios.tcsetattr(self.fd, termios.TCSADRAIN, self.old)
        sys.stdout.flush()
