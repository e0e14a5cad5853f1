# SPDX-License-Identifier: GPL-2.0-or-later
"""Liveness datagrams as docs/protocol.md draws them."""
import hashlib
import hmac
import struct

BEAT, PROBE, ANSWER, SILENCE = 1, 2, 3, 4
ROLES = {"standby": 0, "serving": 1, "fenced": 2}


def name(text):
    return bytes([len(text)]) + text.encode()


def epoch(text):
    numbers = [int(number) for number in text.split(".")] + [0]
    return struct.pack(">III", *numbers[:3])


def seal(key, body):
    return body + hmac.new(key, body, hashlib.sha256).digest()[:16]


def encode(key, kind, sender, receiver, store, boot, seq, time_us, echo, body=b""):
    head = b"HF" + bytes([1, kind, 0]) + name(sender) + name(receiver)
    head += struct.pack(">QQQQQQI", store, boot, seq, time_us, *echo)
    return seal(key, head + body)


def beat(generation, seats, newer=False, floor=0):
    """newer: with flags and a field behind the seats that this version does not know."""
    body = struct.pack(">QBIB", generation, 0x87 if newer else 7, 0, len(seats))
    for seat in seats:
        body += name(seat["endpoint"]) + bytes([ROLES[seat["role"]]]) + epoch(seat["epoch"]) + epoch(seat["highest"])
        body += struct.pack(">I", seat["permit_left_ms"]) + epoch(seat["released"])
    return body + struct.pack(">Q", floor) + (b"\xa5" * 24 if newer else b"")


def decode(key, data):
    """(kind, boot, time_us) of an authentic one, or None."""
    if hmac.new(key, data[:-16], hashlib.sha256).digest()[:16] != data[-16:]:
        return None
    kind, at = data[3], 5
    for _ in range(2):
        at += 1 + data[at]
    _, boot, _, time_us = struct.unpack_from(">QQQQ", data, at)
    return kind, boot, time_us
