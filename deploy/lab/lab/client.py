# SPDX-License-Identifier: GPL-2.0-or-later
"""The client: stock WireGuard behind the NAT. It knows one key and one address, nothing of the cluster."""
from . import network, wireguard
from .pings import Pinger


class Client:
    """`dial` and `port` are what it was given, `address` (and `address6`, if any) its own in the tunnel; `keepalive_s`: 0 is off; `beyond`:
    what else it reaches through the tunnel."""

    def __init__(self, machine, gateway_key, address, address6=None, dial=network.DIAL, port=network.PORT, kernel=False,
                 keepalive_s=0, beyond=()):
        self.machine, self.interface, self._endpoint = machine, "wg0", f"[{dial}]:{port}" if ":" in dial else f"{dial}:{port}"
        self._addresses = [f"{address}/32", *([f"{address6}/128"] if address6 else [])]
        self.private = wireguard.private_key()
        self.public = wireguard.public_key(self.private)
        self.address, self.address6 = address, address6
        self._gateway_key, self._kernel, self._keepalive_s, self._beyond = gateway_key, kernel, keepalive_s, beyond

    def connect(self):
        wireguard.create(self.machine, self.interface, self._kernel)
        inside = [network.TUNNEL_NET, "192.168.1.0/24", network.FAR_NET, network.TUNNEL_NET6, *self._beyond]
        self.machine.run("wg", "setconf", self.interface, "/dev/stdin", text=f"""
            [Interface]
            PrivateKey = {self.private}
            [Peer]
            PublicKey = {self._gateway_key}
            Endpoint = {self._endpoint}
            AllowedIPs = {', '.join(inside)}
            PersistentKeepalive = {self._keepalive_s}
            """)
        self.machine.ip(*(f"addr add {address} dev {self.interface}" for address in self._addresses),
                        f"link set {self.interface} mtu 1420 up",
                        *(f"route add {net} dev {self.interface}" for net in inside))

    def reaches(self, address, seconds=1):
        """One question, answered within so many seconds."""
        return bool(self.machine.run("sh", "-c", f"ping -n -c 1 -W {seconds} {address} > /dev/null && echo yes", check=False))

    def peer_line(self, name):
        """It as a peer in the fleet file."""
        own = ", ".join([f"{self.address}/32", *([f'"{self.address6}/128"'] if self.address6 else [])])
        return f'  {name}: {{ public_key: "{self.public}", allowed_ips: [{own}] }}\n'

    def pinger(self, interval_ms):
        """The pings of a whole run, to the host in the LAN and to the one behind it."""
        return Pinger(self.machine, [network.LAN_HOST, network.FAR_HOST], interval_ms)
