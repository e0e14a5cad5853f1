#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Kernels without nftables, and without its fib expression: modules are unloaded and blocked, as an administrator would.
What can be done is done, and what cannot is said. About 20 s of emulation on an idle host."""
import json
import os
import sys
import time

sys.path.insert(0, "/holdfast/tests/integration/quick")
from compare import BIN, HOLDFAST, Host  # noqa: E402
from machine import FULL, INTERFACE, ONE, PRIVATE  # noqa: E402

BLOCKED = "/etc/modprobe.d/blocked.conf"
FIB = ("nft_fib", "nft_fib_inet", "nft_fib_ipv4", "nft_fib_ipv6")
LEFT = "ip -o link; ip rule; ip -6 rule; ip route show table all; find /run/holdfast -type f 2>/dev/null || true"
# Without modules that take long to load.
AWAIT = """
import socket, time
end, answer = time.monotonic() + 60, b""
while b"nftables" not in answer and time.monotonic() < end:
    try:
        with socket.create_connection(("127.0.0.1", 9581)) as connection:
            connection.sendall(b"GET /readyz HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n")
            answer = b"".join(iter(lambda: connection.recv(4096), b""))
    except OSError:
        time.sleep(0.05)
print(answer.decode())
"""
NETWORK = """
sysctl -qw net.ipv6.conf.default.addr_gen_mode=1
ip link set lo up
ip link add eth0 type dummy
ip link set eth0 up
ip address add 192.0.2.2/24 dev eth0
ip address add 2001:db8::2/64 dev eth0 nodad
ip route add default via 192.0.2.1
ip -6 route add default via 2001:db8::1
"""


def loaded():
    with open("/proc/modules", encoding="ascii") as modules:
        return [line.split()[0] for line in modules if line.startswith(("nft_", "nf_tables"))]


def block(*modules):
    """Nobody else uses them: the namespaces of tests before are gone, or going."""
    os.makedirs(os.path.dirname(BLOCKED), exist_ok=True)
    with open(BLOCKED, "w", encoding="ascii") as file:
        file.writelines(f"install {module} /usr/bin/false\n" for module in modules)
    end = time.monotonic() + 30
    while loaded():
        for module in loaded():
            os.system(f"rmmod {module} 2>/dev/null")
        assert time.monotonic() < end, loaded()


class Bare(Host):
    """A host; what it has is looked at quickly, for emulation is slow."""

    def __init__(self):
        super().__init__()
        self.before = self.must(NETWORK + LEFT)

    def holdfast(self, verb):
        status, _, self.said = self.call(HOLDFAST, verb, "wg0")
        return status

    def clean(self):
        left = self.must(LEFT)
        assert left == self.before, left + self.said


def up_without_nftables(host):
    host.write("/etc/wireguard/wg0.conf", INTERFACE + FULL)
    assert host.holdfast("up") == 0, host.said
    assert "this kernel has no nftables (nf_tables)" in host.said and "past the tunnel, is not dropped" in host.said, host.said
    assert "dev wg0" in host.must("ip route get 1.1.1.1") and "dev wg0" in host.must("ip -6 route get 2606:4700::1")
    assert host.holdfast("down") == 0, host.said
    host.write("/etc/wireguard/wg0.yaml", "forward: { default: drop }\n")
    assert host.holdfast("up") == 1 and "forward: this kernel cannot drop what is forwarded" in host.said, host.said
    host.clean()
    host.must("rm /etc/wireguard/wg0.yaml")
    print("up without nftables", flush=True)


def up_without_fib(host):
    host.must("nft list ruleset")
    assert host.holdfast("up") == 0, host.said
    rules = host.must("nft list ruleset")
    assert "(nft_fib): what others" in host.said and "rp_filter" not in host.said, host.said
    assert rules.count("premangle") == 2 and "preraw" not in rules, rules
    assert host.holdfast("down") == 0, host.said
    host.clean()
    assert "table" not in host.must("nft list ruleset")
    print("up without fib", flush=True)


def tunnel(name, port, public_key):
    return {"name": name, "private_key_file": "/run/wg.key", "public_key": public_key, "addresses": [f"10.5{port % 10}.0.1/24"],
            "listen_port": port, "fwmark": port, "mtu": 0, "table": "auto", "forward": {"policy": "accept", "snat": []}}


def agent_without_nftables(host):
    """What it was told when it last had a controller: a plain tunnel, and one behind an endpoint."""
    host.write("/run/wg.key", PRIVATE + "\n")
    public_key = host.must("wg pubkey </run/wg.key").strip()
    host.must(f"{HOLDFAST} init --dir /run/pki && {HOLDFAST} cert gateway gw-a --dir /run/pki --out /run/pki; mkdir -m 700 /run/state")
    host.write("/run/agent.yaml", json.dumps({
        "gateway": "gw-a", "controllers": ["https://192.0.2.1:7443"], "health": {"listen": "127.0.0.1:9581"}, "state": "/run/state",
        "run": "/run/agent", "tls": {"ca": "/run/pki/ca.pem", "certificate": "/run/pki/gw-a.pem", "key": "/run/pki/gw-a.key"}}))
    host.write("/run/state/desired.json", json.dumps({
        "version": 1, "generation": 1, "store": "5d41402abc4b2a76", "fleet": "test", "gateway": "gw-a", "addresses": ["192.0.2.2"],
        "liveness_ms": 50, "tunnels": [tunnel("wg0", 51820, public_key), tunnel("wg1", 51821, public_key)],
        "endpoints": [{"name": "vpn", "isolation": "hold", "lease_ms": 3000, "dial_interface": "eth0", "dial": ["192.0.2.100"], "witness": [],
                       "inside": [], "routes": [], "tunnels": ["wg0"], "pool": ["gw-a"]}],
        "partners": [], "peers": [{"name": "alice", "tunnel": "wg1", "public_key": ONE, "allowed_ips": ["10.60.0.0/16"]}]}))
    agent = host.start(BIN + "/holdfast-agent", "--config", "/run/agent.yaml")
    ready = host.call("python3", "-S", "-c", AWAIT, timeout=90)[1]
    assert " 503 " in ready and "the kernel has no nftables (module nf_tables)" in ready, ready
    assert "10.60.0.0/16 dev wg1" in host.must("ip route") and ONE in host.must("wg show wg1 peers"), host.must("ip route")
    host.must("kill $(pgrep holdfast-agent)")
    agent.communicate(timeout=60)
    host.must("ip link delete wg0; ip link delete wg1; ip address delete 192.0.2.100/32 dev lo")
    print("agent without nftables", flush=True)


def main():
    os.makedirs("/etc/wireguard", exist_ok=True)
    with open("/etc/resolv.conf", "a", encoding="ascii"):
        pass
    with Bare() as host:
        block("nf_tables")
        up_without_nftables(host)
        agent_without_nftables(host)
        block(*FIB)
        up_without_fib(host)
    os.remove(BLOCKED)
    return 0


if __name__ == "__main__":
    sys.exit(main())
