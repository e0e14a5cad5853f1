# SPDX-License-Identifier: GPL-2.0-or-later
"""A tunnel for a machine of booted.py: its file, and the far end in a namespace of its own."""
import subprocess

CONF = "/etc/wireguard/wg0.conf"

# The machine's uplink is eth0. What is in the tunnel answers only through that.
FAR = r"""
ip netns add far
ip link add eth0 type veth peer name wan netns far
ip -n far link set lo up
ip -n far addr add 192.0.2.1/24 dev wan
ip -n far addr add 2001:db8::1/64 dev wan nodad
ip -n far link set wan up
ip netns exec far nft -f - <<'N'
table inet outside {
	chain in {
		type filter hook input priority 0
		iifname wan ip daddr 10.50.0.0/24 drop
		iifname wan ip6 daddr fd50::/64 drop
	}
}
N
"""
UPLINK = r"""
ip addr add 192.0.2.2/24 dev eth0
ip addr add 2001:db8::2/64 dev eth0 nodad
ip link set eth0 up
ip route add default via 192.0.2.1
ip -6 route add default via 2001:db8::1
"""
FAR_END = r"""
ip netns exec far wireguard-go wgfar || exit
echo '{far}' | ip netns exec far wg set wgfar listen-port 4712 private-key /dev/stdin peer '{near}' allowed-ips 10.50.0.2/32,fd50::2/128
ip -n far addr add 10.50.0.1/24 dev wgfar
ip -n far addr add fd50::1/64 dev wgfar nodad
ip -n far link set wgfar up
"""


def genkey():
    return subprocess.run(["wg", "genkey"], capture_output=True, text=True, check=True).stdout.strip()


def public(key):
    return subprocess.run(["wg", "pubkey"], input=key, capture_output=True, text=True, check=True).stdout.strip()


class Tunnel:
    """wg0, to the far end; all traffic goes through it."""

    def __init__(self, machine, allowed="0.0.0.0/0, ::/0"):
        self.machine, self.allowed = machine, allowed
        self.near, self.far = genkey(), genkey()
        self.write()
        machine.run("sh", "-c", FAR_END.format(far=self.far, near=public(self.near)))

    def write(self, more=""):
        self.machine.write(CONF, f"[Interface]\nPrivateKey = {self.near}\nAddress = 10.50.0.2/24, fd50::2/64\n\n"
                           f"[Peer]\nPublicKey = {public(self.far)}\nAllowedIPs = {self.allowed}{more}\nEndpoint = 192.0.2.1:4712\n")

    def ping(self):
        """Does the far end answer through it, in both families?"""
        return all(self.machine.call("ping", "-n", "-c", "1", "-W", "1", address)[0] == 0 for address in ("10.50.0.1", "fd50::1"))

    def handshake(self):
        return int(self.machine.run("wg", "show", "wg0", "latest-handshakes").split()[-1])
