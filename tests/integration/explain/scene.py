# SPDX-License-Identifier: GPL-2.0-or-later
"""A machine with a tunnel, the far end of it, and a host behind the machine: lan - machine - far. Whatever explain says can be
tried with a real packet."""
import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "quick"))
from compare import HOLDFAST, Host, can_run, key, public  # noqa: E402,F401: the path comes first

PORT = 51820
FAR, FAR6 = "10.60.0.1", "fd60::1"

FAR_SCRIPT = f"""
ip link set lo up
ip link set eth0 up
ip address add 192.0.2.1/24 dev eth0
ip address add 2001:db8::1/64 dev eth0 nodad
wireguard-go wg0 2>/dev/null || ip link add wg0 type wireguard
wg set wg0 private-key /run/key listen-port {PORT} peer %s allowed-ips 10.50.0.2/32,192.168.1.0/24,fd50::2/128
ip address add 10.50.0.1/24 dev wg0
ip address add {FAR}/32 dev lo
ip address add {FAR6}/128 dev lo
ip link set wg0 up
ip route add 192.168.1.0/24 dev wg0
ip -6 route add fd50::/64 dev wg0
nft "add table inet outside; add chain inet outside in {{ type filter hook input priority 0; }}
add rule inet outside in iifname eth0 udp dport != {PORT} drop
add rule inet outside in iifname eth0 ip protocol icmp drop"
"""

MACHINE_SCRIPT = """
ip link set lo up
ip link set eth0 up
ip link set eth1 up
ip address add 192.0.2.2/24 dev eth0
ip address add 2001:db8::2/64 dev eth0 nodad
ip address add 192.168.1.1/24 dev eth1
ip route add default via 192.0.2.1
sysctl -qw net.ipv4.ip_forward=1
"""

LAN_SCRIPT = """
ip link set lo up
ip link set eth0 up
ip address add 192.168.1.9/24 dev eth0
ip route add default via 192.168.1.1
"""


class Answer:
    def __init__(self, status, text):
        self.status = status
        self.findings = json.loads(text)
        self.first = self.findings.get("first_no")
        self.steps = {}
        for finding in self.findings["findings"]:
            self.steps.setdefault(finding["step"], finding)
        self.noes = [finding for finding in self.findings["findings"] if finding["says"] == "no"]
        self.doubts = [finding for finding in self.findings["findings"] if finding["says"] == "doubtful"]

    def text(self, step):
        return self.steps[step]["text"] if step in self.steps else ""


class Site:
    def __init__(self, conf=None):
        self.machine, self.far, self.lan = Host(), Host(), Host()
        self.hosts = (self.machine, self.far, self.lan)
        self.private, self.far_private = key(), key()
        self.public, self.far_public = public(self.private), public(self.far_private)
        self.connect(self.far, "eth0", "eth0")
        self.connect(self.lan, "eth0", "eth1")
        self.machine.write("/run/key", self.private)
        self.far.write("/run/key", self.far_private)
        self.far.must(FAR_SCRIPT % self.public)
        self.machine.must(MACHINE_SCRIPT)
        self.lan.must(LAN_SCRIPT)
        self.far.must(f"wg set wg0 peer {self.public} endpoint 192.0.2.2:{PORT}")
        self.up(conf or f"""
            [Interface]
            PrivateKey = {self.private}
            Address = 10.50.0.2/24, fd50::2/64
            ListenPort = {PORT}
            [Peer]
            PublicKey = {self.far_public}
            AllowedIPs = 10.50.0.1/32, 10.60.0.0/16, fd60::/64
            Endpoint = 192.0.2.1:{PORT}
        """)

    def connect(self, other, theirs, ours):
        """A cable from the machine to another."""
        subprocess.run(["nsenter", "-t", str(self.machine.pid), "-n", "ip", "link", "add", ours, "type", "veth", "peer", "name",
                        theirs, "netns", str(other.pid)], check=True)

    def up(self, conf):
        self.machine.write("/etc/wireguard/wg0.conf", "\n".join(line.strip() for line in conf.splitlines()))
        status, _, said = self.machine.call(HOLDFAST, "up", "wg0")
        assert status == 0, said

    # ---- asking ----

    def explain(self, *arguments, peer=None, address=FAR):
        status, out, said = self.machine.call(HOLDFAST, "explain", "--json", *arguments, peer or self.far_public, address)
        assert "Sanitizer" not in said and status in (0, 1) and out, f"{status} {said}"
        answer = Answer(status, out)
        assert (status == 1) == (answer.first is not None), out
        return answer

    def forwarded(self, *arguments):
        return self.explain("--in", "eth1", "--from", "192.168.1.9", *arguments)

    # ---- trying ----

    def ping(self, host=None, address=FAR, wait_s=5.0):
        host = host or self.machine
        return host.call("ping", "-n", "-c", "1", "-W", str(wait_s), address)[0] == 0

    def arrives(self, expected, **where):
        """Does a ping come back? One that shall not is not waited for as long as one that shall."""
        return self.ping(wait_s=5.0 if expected else 0.25, **where)

    def until(self, what, condition, seconds=20):
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "never: " + what
            time.sleep(0.05)

    def close(self):
        for host in self.hosts:
            host.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
