# SPDX-License-Identifier: GPL-2.0-or-later
"""Many stock clients behind the lab's NAT, each a WireGuard of its own with a session that it keeps alive."""
from benchlab import agent_metric, wait_for, wireguard
from lab.network import DIAL, PORT

_DEVICE = """
for number in $(seq 1 "$1"); do
  LOG_LEVEL=error wireguard-go "w$number" > /dev/null 2>&1
done
"""
_CONFIGURE = """
[Interface]
PrivateKey = {private}
[Peer]
PublicKey = {gateway}
Endpoint = {dial}:{port}
AllowedIPs = 10.50.0.1/32
PersistentKeepalive = 5
"""


class Crowd:
    """`count` clients; their lines for the fleet file come first, then connect()."""

    def __init__(self, count):
        self._keys = [wireguard.private_key() for _ in range(count)]

    def peer_lines(self):
        return "".join(f'  crowd-{n}: {{ public_key: "{wireguard.public_key(key)}", allowed_ips: [10.51.{n >> 8}.{n & 255}/32] }}\n'
                       for n, key in enumerate(self._keys))

    def connect(self, scene):
        self._machine = scene.network.add_client("crowd", 9)
        self._machine.run("sh", "-c", _DEVICE, "devices", str(len(self._keys)))
        for n, key in enumerate(self._keys, 1):
            self._machine.run("wg", "setconf", f"w{n}", "/dev/stdin",
                              text=_CONFIGURE.format(private=key, gateway=scene.files.tunnel_public, dial=DIAL, port=PORT))
        self._machine.ip(*(f"link set w{n} up" for n in range(1, len(self._keys) + 1)))


def wait_sessions(gateways, count, seconds=60):
    wait_for(f"every gateway knows {count} sessions", seconds, lambda: all(agent_metric(g, "holdfast_sessions") >= count for g in gateways), every=0.2)
