# SPDX-License-Identifier: GPL-2.0-or-later
"""One direction of UDP, as a program in a machine: `send INTERVAL_MS ADDRESS PORT`, or `receive PORT`, which writes the number and
the kernel's time, in ns, of each datagram that arrives. Both until their standard input ends."""
import os
import select
import socket
import struct
import sys
import time

from .ping import SO_TIMESTAMPNS, STAMP, be_punctual

_NUMBER = struct.Struct("!Q")


def _send(interval_ms, address, port):
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    due, number = time.monotonic_ns(), 0
    while not select.select([0], [], [], max(0, due - time.monotonic_ns()) / 1e9)[0]:
        try:
            out.sendto(_NUMBER.pack(number) + bytes(40), (address, port))
        except OSError:
            pass      # no route at the moment: a datagram that is missed
        number, due = number + 1, max(due + interval_ms * 1_000_000, time.monotonic_ns())


def _receive(port):
    into = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    into.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    into.bind(("", port))
    os.write(1, b"ready\n")
    while 0 not in (readable := select.select([into, 0], [], [])[0]):
        if readable:
            data, ancillary, _, _ = into.recvmsg(256, 64)
            seconds, nanoseconds = STAMP.unpack(ancillary[0][2])
            os.write(1, f"{_NUMBER.unpack_from(data)[0]} {seconds * 1_000_000_000 + nanoseconds}\n".encode())


def main(what, *arguments):
    be_punctual()
    if what == "send":
        _send(int(arguments[0]), arguments[1], int(arguments[2]))
    else:
        _receive(int(arguments[0]))


if __name__ == "__main__":
    main(*sys.argv[1:])
