# SPDX-License-Identifier: GPL-2.0-or-later
"""Several guests on a network of their own.

Neighbours are joined by a pair of connected sockets that only their two QEMUs have; a hub in each
QEMU joins its guest's card with its one or two cables. Nothing of this machine's network is used,
and nothing but the guests can be reached. A guest that has gone off cuts the link where it was.
"""

import concurrent.futures
import dataclasses
import re
import socket
import threading

from . import guest
from .common import ROOT, Failure

SETUP = ROOT / "tests/vm/guest/link"
NETWORK = "192.0.2"  # RFC 5737: addresses that are nobody's
GUESTS_MAX = 8
NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")


@dataclasses.dataclass
class Peer:
    """The place of one guest on a link."""

    # The card keeps the name that the kernel gives it.
    APPEND = "net.ifnames=0"

    number: int  # from 1
    names: list  # of all guests
    cables: list  # descriptors, one for each neighbour; they go to QEMU
    given_up: threading.Event

    @property
    def name(self):
        """The guest's name: its host name, too."""
        return self.names[self.number - 1]

    @property
    def mac(self):
        """A locally administered address for its card."""
        return f"52:54:00:00:02:{self.number:02x}"

    def files(self):
        """What makes the guest a member: path in the guest -> text."""
        hosts = [f"{NETWORK}.{n}\t{name}" for n, name in enumerate(self.names, 1)]
        return {
            "etc/hostname": self.name + "\n",
            "etc/hosts": "\n".join(["127.0.0.1\tlocalhost", "::1\tlocalhost"] + hosts) + "\n",
            "kt/address": f"{NETWORK}.{self.number}/24\n",
            "kt/link": SETUP.read_text(encoding="utf-8"),
        }


def parse(words):
    """{name: command line} of NAME=COMMAND words, in their order."""
    commands = {}
    for word in words:
        name, equals, command = word.partition("=")
        if not equals or not NAME.fullmatch(name):
            raise Failure(f"link: want NAME=COMMAND, not {word}", 2)
        if name in commands or name == "localhost":
            raise Failure(f"link: {name} cannot be the name of another guest", 2)
        commands[name] = command
    if not 2 <= len(commands) <= GUESTS_MAX:
        raise Failure(f"link: want 2 to {GUESTS_MAX} guests as NAME=COMMAND after --", 2)
    return commands


class Lines:
    """Output of several guests on one stream: whole lines, with the guest's name before each."""

    def __init__(self):
        self.lock = threading.Lock()
        self.rests = {}  # (name, stream) -> a line that has not ended yet

    def sink(self, name, stream):
        """A sink for the output of one guest."""
        def write(data):
            *lines, self.rests[name, stream] = (
                self.rests.get((name, stream), b"") + data).split(b"\n")
            self._put(stream, name, lines)
        return write

    def _put(self, stream, name, lines):
        with self.lock:
            for line in lines:
                stream.buffer.write(f"{name}: ".encode() + line + b"\n")
            stream.buffer.flush()

    def end(self):
        """Writes what did not end in a newline."""
        for (name, stream), rest in self.rests.items():
            self._put(stream, name, [rest] if rest else [])


def cable_up(names, given_up):
    """The peers, in a row: each has a cable to the one before and the one after it."""
    peers = [Peer(n, names, [], given_up) for n in range(1, len(names) + 1)]
    for one, next_one in zip(peers, peers[1:]):
        for peer, end in zip((one, next_one), socket.socketpair()):
            peer.cables.append(end.detach())
    return peers


def run(names, boot):
    """Boots guests of these names at the same time. boot: takes a Peer, boots that guest and
    returns its Outcome; of one that fails nobody waits for the others. Returns {name: Outcome} in
    the order in which they ended."""
    given_up, outcomes = threading.Event(), {}

    def one(peer):
        try:
            outcomes[peer.name] = boot(peer)
        except BaseException:
            given_up.set()
            raise
        if outcomes[peer.name].code:
            given_up.set()

    with concurrent.futures.ThreadPoolExecutor(len(names)) as pool:
        for future in [pool.submit(one, peer) for peer in cable_up(names, given_up)]:
            future.result()
    return outcomes


def code(outcomes):
    """The exit code of all together: of the first that failed, and was not ended for another."""
    return next((o.code for o in outcomes.values() if o.code and o.trouble != guest.GIVEN_UP), 0)
