# SPDX-License-Identifier: GPL-2.0-or-later
"""The program that pings, on a fixed schedule with answers stamped by the kernel on arrival.

Started as a program in the client's machine, `ping.py INTERVAL_MS turns|alone ADDRESS...`, it writes one line per event:
`s TARGET SEQ SENT_NS LATE_NS`, `r TARGET SEQ RECEIVED_NS`, until its standard input ends.
LATE is how much later than planned the ping left: this machine's own delay, which no gateway is to blame for. It pings with a high
real-time priority; the daemons have a lower one and a WireGuard in userspace has none, and may wait longer for their turn:
with `turns`, `w PRIORITY 0 WHEN_NS LATE_NS` is a wait, over at WHEN, of one of two processes that have their priorities and do
nothing else.
"""
import os
import select
import socket
import struct
import sys
import time

_PINGS, _DAEMONS, _ORDINARY = 20, 10, 0      # priorities
SO_TIMESTAMPNS = 35      # asm-generic/socket.h; Python has no name for it
_HEADER = struct.Struct("!BBHHHQ")
STAMP = struct.Struct("qq")


def _checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xffff)
    return ~(total + (total >> 16)) & 0xffff


class _Sender:
    """One raw socket for all targets; a target is told by the ICMP identifier."""

    def __init__(self, addresses):
        self._addresses = addresses
        self._identifier = int.from_bytes(os.urandom(2), "big") & 0xfff0      # two clients with one would need one of them translated
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.socket.setblocking(False)

    def send(self, target, seq):
        identifier = self._identifier + target & 0xffff
        packet = _HEADER.pack(8, 0, 0, identifier, seq & 0xffff, seq) + bytes(40)
        packet = packet[:2] + struct.pack("!H", _checksum(packet)) + packet[4:]
        try:
            self.socket.sendto(packet, (self._addresses[target], 0))
        except OSError:
            pass      # no route at the moment, a full queue: a ping that stays unanswered

    def receive(self):
        """(target, seq, received_ns) of one answer of ours; None for anything else."""
        try:
            data, ancillary, _, source = self.socket.recvmsg(256, 64)
        except OSError:
            return None
        start = (data[0] & 15) * 4
        if len(data) < start + _HEADER.size:
            return None
        kind, _, _, identifier, _, seq = _HEADER.unpack_from(data, start)
        target = identifier - self._identifier & 0xffff
        if kind != 0 or target >= len(self._addresses) or source[0] != self._addresses[target]:
            return None
        seconds, nanoseconds = STAMP.unpack(ancillary[0][2])
        return target, seq, seconds * 1_000_000_000 + nanoseconds


def be_punctual(priority=_PINGS):
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(priority))
    except OSError:
        pass      # then the measured delay says so


_TURN_NS, _WORTH_TELLING_NS = 5_000_000, 1_000_000


def _watch_turns(parent, priority):
    """How late a process of this priority gets its turn, until its parent has ended."""
    if priority:
        be_punctual(priority)
    while os.getppid() == parent:
        due = time.monotonic_ns() + _TURN_NS
        time.sleep(_TURN_NS / 1e9)
        late = time.monotonic_ns() - due
        if late > _WORTH_TELLING_NS:
            os.write(1, f"w {priority} 0 {time.time_ns()} {late}\n".encode())


def _start_watching_turns():
    parent = os.getpid()
    for priority in (_DAEMONS, _ORDINARY):
        if os.fork() == 0:
            _watch_turns(parent, priority)
            os._exit(0)


def main(interval_ms, turns, addresses):
    """Each target once per interval, evenly spread over it. A slot that was missed is left out, not made up for."""
    if turns:
        _start_watching_turns()
    be_punctual()
    sender, step = _Sender(addresses), interval_ms * 1_000_000 // len(addresses)
    turn, counts, due = 0, [0] * len(addresses), time.monotonic_ns() + step
    while True:
        lines, now = [], time.monotonic_ns()
        if now >= due:
            target = turn % len(addresses)
            lines.append(f"s {target} {counts[target]} {time.time_ns()} {now - due}\n")
            sender.send(target, counts[target])
            counts[target] += 1
            missed = (now - due) // step
            turn, due = turn + 1 + missed, due + step * (1 + missed)
        while (answer := sender.receive()) is not None:
            lines.append("r {} {} {}\n".format(*answer))
        if lines:
            os.write(1, "".join(lines).encode())
        if 0 in select.select([sender.socket, 0], [], [], max(0, due - time.monotonic_ns()) / 1e9)[0]:
            return


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2] == "turns", sys.argv[3:])
