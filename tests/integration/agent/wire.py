# SPDX-License-Identifier: GPL-2.0-or-later
"""What a gateway puts on a segment, in its order: announcements, and what a tunnel says. Caught where frames leave, behind the fence."""
import ipaddress
import socket
import struct

from controller import in_namespace

ETH_P_ALL, SO_RCVBUFFORCE, SOL_PACKET, PACKET_STATISTICS = 3, 33, 263, 6      # linux/if_ether.h, asm-generic/socket.h, linux/if_packet.h
ARP, IPV4, IPV6 = 0x0806, 0x0800, 0x86dd
UDP, ICMPV6, ADVERTISEMENT = 17, 58, 136
ALL_NODES = ipaddress.ip_address("ff02::1")
BUFFER, FRAME_MAX = 4 << 20, 65536
MESSAGES = {1: "initiation", 2: "response", 3: "cookie", 4: "data"}


class Wire:
    """From its beginning to its end; said() is what was told so far."""

    def __init__(self, namespace, interface, port):
        self._port, self._said = port, []
        self._socket = in_namespace(namespace, lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL)))
        self._socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER)
        self._socket.bind((interface, ETH_P_ALL))
        self._socket.setblocking(False)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def said(self):
        """`announcement of ADDRESS`, `initiation from ADDRESS to ADDRESS`, in the order of their leaving. None may have been missed."""
        self._take_in()
        _, dropped = struct.unpack("II", self._socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))
        assert not dropped, f"{dropped} frames were not caught"
        return self._said

    def _take_in(self):
        while True:
            try:
                frame, (_, _, kind, _, _) = self._socket.recvfrom(FRAME_MAX)
            except BlockingIOError:
                return
            words = self._words(frame) if kind == socket.PACKET_OUTGOING else None
            if words:
                self._said.append(words)

    def _words(self, frame):
        protocol, packet = struct.unpack("!H", frame[12:14])[0], frame[14:]
        if protocol == ARP:
            return announced(packet[14:18]) if packet[14:18] == packet[24:28] else None
        if protocol == IPV4 and packet[9] == UDP:
            return self._message(packet[12:16], packet[16:20], packet[(packet[0] & 15) * 4:])
        if protocol == IPV6 and packet[6] == UDP:
            return self._message(packet[8:24], packet[24:40], packet[40:])
        if protocol == IPV6 and packet[6] == ICMPV6 and packet[40] == ADVERTISEMENT and packet[24:40] == ALL_NODES.packed:
            return announced(packet[48:64])
        return None

    def _message(self, source, target, datagram):
        if struct.unpack("!H", datagram[:2])[0] != self._port:
            return None
        return f"{MESSAGES.get(datagram[8], 'nonsense')} from {ipaddress.ip_address(source)} to {ipaddress.ip_address(target)}"


def announced(address):
    return f"announcement of {ipaddress.ip_address(address)}"
