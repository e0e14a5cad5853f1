#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Sends one UDP packet of IPv4 from the far end of the uplink: packet.py LINK FROM TO PORT"""
import socket
import struct
import sys

NEAR, FAR = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def main():
    link, source, to, port = sys.argv[1:]
    udp = struct.pack("!4H", 40000, int(port), 8, 0)  # without a checksum, which IPv4 allows
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 1, 0, 64, socket.IPPROTO_UDP, 0,
                       socket.inet_aton(source), socket.inet_aton(to))
    head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
        raw.bind((link, 0))
        raw.send(NEAR + FAR + struct.pack("!H", 0x0800) + head + udp)


if __name__ == "__main__":
    main()
