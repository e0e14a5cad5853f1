#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""`forward:` of NAME.yaml with real packets: a client behind the tunnel and a host on the LAN behind the server, in
namespaces of their own, and what each of them sees of the other. Takes 12 s."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from compare import can_run, key, public  # noqa: E402
from machine import FULL, INTERFACE, PRIVATE, Machine, steps  # noqa: E402
from runner import run_module  # noqa: E402

CLIENT = key()
SERVER = (f"[Interface]\nPrivateKey = {PRIVATE}\nListenPort = 51820\nAddress = 10.50.0.1/24, fd50::1/64\nMTU = 1400\n"
          f"\n[Peer]\nPublicKey = {public(CLIENT)}\nAllowedIPs = 10.50.0.2/32, fd50::2/128\n")
LAN = {4: "192.168.1.10", 6: "fd01::10"}
ROADWARRIOR = {4: "10.50.0.2", 6: "fd50::2"}

# The client's tunnel takes more than the server's: what it offers as MSS does not fit.
SITES = f"""
for site in client lan; do
	ip netns add $site
	ip -n $site link set lo up
	ip link add $site-0 type veth peer name eth0 netns $site
	sysctl -qw net.ipv6.conf.$site-0.accept_dad=0
	ip netns exec $site sysctl -qw net.ipv6.conf.eth0.accept_dad=0 net.ipv6.conf.default.accept_dad=0
	ip link set $site-0 up
	ip -n $site link set eth0 up
done
ip address add 198.18.0.1/24 dev client-0
ip address add 192.168.1.1/24 dev lan-0
ip address add fd01::1/64 dev lan-0 nodad
ip address add 192.168.1.7/24 dev lan-0
ip address add fd01::7/64 dev lan-0 nodad preferred_lft 0
ip -n client address add 198.18.0.2/24 dev eth0
ip -n lan address add {LAN[4]}/24 dev eth0
ip -n lan address add {LAN[6]}/64 dev eth0 nodad
ip -n lan route add default via 192.168.1.1
ip -n lan -6 route add default via fd01::1
ip netns exec client bash -c '
	mount -t tmpfs none /run/wireguard
	wireguard-go wgc >/dev/null 2>&1
	wg set wgc private-key <(echo {CLIENT}) peer {public(PRIVATE)} allowed-ips 0.0.0.0/0,::/0 endpoint 198.18.0.1:51820'
ip -n client address add {ROADWARRIOR[4]}/32 dev wgc
ip -n client address add {ROADWARRIOR[6]}/128 dev wgc
nft -f - <<-end
	table ip filter {{ chain FORWARD {{ type filter hook forward priority filter; policy accept; iifname "docker0" counter drop; }}; }}
	table inet somebody {{ set s {{ type ipv4_addr; elements = {{ 192.0.2.77 }}; }}; chain c {{ type nat hook postrouting priority srcnat; }}; }}
	table ip6 wg-quick-wg9 {{ chain preraw {{ type filter hook prerouting priority raw; }}; }}
end
"""

# Runs in a site: prints the source and MSS of each SYN that it sees on a device, and the time it was asked to end.
CAPTURE = r"""
import socket, struct, sys
tap = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))
tap.bind((sys.argv[1], 0))
print("ready", flush=True)
while True:
    data, (_, protocol, kind, _, _) = tap.recvfrom(65535)
    if kind == 4:
        continue
    if protocol == 0x800 and data[9] == 6:
        source, tcp = socket.inet_ntop(socket.AF_INET, data[12:16]), data[(data[0] & 15) * 4:]
    elif protocol == 0x86dd and data[6] == 6:
        source, tcp = socket.inet_ntop(socket.AF_INET6, data[8:24]), data[40:]
    else:
        continue
    options, mss = tcp[20:(tcp[12] >> 4) * 4], 0
    while options and tcp[13] & 2:
        size = 1 if options[0] < 2 else options[1]
        if options[0] == 2:
            mss = struct.unpack(">H", options[2:4])[0]
        options = options[size:]
    if tcp[13] & 2:
        print("answer" if tcp[13] & 16 else "question", source, mss, flush=True)
"""

# Answers each line with itself, for ever.
ECHO = r"""
import socket, sys, threading
server = socket.create_server(("::", 9000), family=socket.AF_INET6, dualstack_ipv6=True, backlog=64)
print("ready", flush=True)
def serve(connection):
    while text := connection.recv(100):
        connection.sendall(text)
while True:
    threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
"""

# One connection, a word for each line of stdin.
DIAL = r"""
import socket, sys
connection = socket.create_connection((sys.argv[1], 9000), timeout=float(sys.argv[2]))
print("up", flush=True)
for line in sys.stdin:
    connection.sendall(b"word")
    print(connection.recv(100).decode(), flush=True)
"""


class Sites(Machine):
    """A server with a LAN, and a client that reaches it through its tunnel."""

    def __enter__(self):
        super().__enter__()
        self.must(SITES)
        self.programs = [self.python("lan", ECHO), self.python("client", ECHO)]
        self.fresh = self.state()
        self.foreign = self.tables_of_others()
        return self

    def close(self):
        for program in self.programs:
            program.kill()
            program.wait()
        super().close()

    def python(self, site, text, *arguments, wait=True):
        process = self.start("ip", "netns", "exec", site, "python3", "-c", text, *arguments)
        assert not wait or process.stdout.readline() == "ready\n", process.communicate()[1]
        return process

    def tables_of_others(self):
        return "".join(self.must(f"nft -a list table {name}") for name in ("ip filter", "inet somebody", "ip6 wg-quick-wg9"))

    def forward(self, yaml):
        self.write("/etc/wireguard/wg0.yaml", f"forward: {yaml}\n")
        self.up(SERVER)
        # Not before: a handshake that nobody answers is tried again 5 s later.
        self.must("ip -n client link set wgc up mtu 9000; ip -n client route replace default dev wgc; ip -n client -6 route replace default dev wgc")
        assert self.tables_of_others() == self.foreign, self.tables_of_others()

    def dial(self, site, to, seconds=20):
        process = subprocess.Popen(self.enter("ip", "netns", "exec", site, "python3", "-c", DIAL, to, str(seconds)), text=True,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.programs.append(process)
        return process

    def connects(self, site, to, seconds=20):
        process = self.dial(site, to, seconds)
        up = process.stdout.readline() == "up\n"
        process.kill()
        return up

    def sees(self, site, device, who, to):
        """What `site` sees on `device` when `who` dials `to`: kind, source, MSS of the first SYN."""
        capture = self.python(site, CAPTURE, device)
        self.programs.append(capture)
        assert self.connects(who, to), self.must("nft list ruleset; ip route; ip -6 route; wg")
        line = capture.stdout.readline().split()
        capture.kill()
        return line[0], line[1], int(line[2])


def sysctls(machine):
    return machine.must("sysctl -n net.ipv4.ip_forward net.ipv6.conf.all.forwarding").split()


def both(machine, expected):
    for family in (4, 6):
        seen = machine.sees("lan", "eth0", "client", LAN[family])[1]
        assert seen == expected[family], f"{seen} instead of {expected[family]}"


def test_sources():
    with Sites() as machine:
        assert sysctls(machine) == ["0", "0"]
        machine.forward("{ default: accept }")
        assert sysctls(machine) == ["1", "1"] and "holdfast-wg0" not in machine.must("nft list tables")
        both(machine, ROADWARRIOR)
        machine.forward("{ masquerade: [ { from: 10.50.0.0/24, interface: lan-0 }, { from: \"fd50::/64\", interface: lan-0 } ] }")
        both(machine, {4: "192.168.1.1", 6: "fd01::1"})
        assert machine.holdfast("up") == 0 and not steps(machine), machine.said
        machine.forward("{ snat: [ { from: 10.50.0.2, interface: lan-0, to: 192.168.1.7 },"
                        " { from: \"fd50::/64\", interface: lan-0, to: \"fd01::7\" } ] }")
        both(machine, {4: "192.168.1.7", 6: "fd01::7"})
        machine.down()
        assert sysctls(machine) == ["0", "0"] and machine.tables_of_others() == machine.foreign
        machine.clean("sources")
    print("sources")


def test_drop():
    hide = "masquerade: [ { from: 10.50.0.0/24, interface: lan-0 }, { from: \"fd50::/64\", interface: lan-0 } ]"
    with Sites() as machine:
        machine.forward("{ %s }" % hide)
        standing = [machine.dial("client", LAN[family]) for family in (4, 6)]
        assert all(process.stdout.readline() == "up\n" for process in standing)
        machine.forward("{ default: drop, %s }" % hide)
        for process in standing:
            print("word", file=process.stdin, flush=True)
            assert process.stdout.readline() == "word\n"
        assert not machine.connects("client", LAN[4], 0.3) and not machine.connects("client", LAN[6], 0.3)
        assert not machine.connects("lan", ROADWARRIOR[4], 0.3) and not machine.connects("lan", ROADWARRIOR[6], 0.3)
        dropped = machine.must("nft list chain inet holdfast-wg0 forward")
        assert dropped.count("packets 0 ") == 0, dropped
        machine.down()
        machine.clean("drop")
    print("drop")


def test_clamp():
    expected = {4: 1400 - 40, 6: 1400 - 60}
    with Sites() as machine:
        machine.forward("{}")
        for family in (4, 6):
            assert machine.sees("lan", "eth0", "client", LAN[family])[2] > 8000
        machine.forward("{ clamp_mss: true }")
        for family in (4, 6):
            for site, device, who, to, kind in (("lan", "eth0", "client", LAN, "question"), ("client", "wgc", "client", LAN, "answer"),
                                                ("client", "wgc", "lan", ROADWARRIOR, "question"), ("lan", "eth0", "lan", ROADWARRIOR, "answer")):
                seen = machine.sees(site, device, who, to[family])
                assert (seen[0], seen[2]) == (kind, expected[family]), f"IPv{family} {who} {site}: {seen}"
        machine.down()
        machine.clean("clamp")
    print("clamp")


def test_given_back():
    other = f"[Interface]\nPrivateKey = {key()}\nAddress = 10.51.0.2/24\n"
    with Machine() as machine:
        machine.must("sysctl -qw net.ipv6.conf.eth0.accept_ra=1; ip -6 route replace default via 2001:db8::1 dev eth0 proto ra")
        machine.fresh = machine.state()
        machine.write("/etc/wireguard/wg0.yaml", "forward: { default: drop }\n")
        machine.write("/etc/wireguard/wg1.yaml", "forward: { masquerade: { from: 10.51.0.0/24, interface: eth0 } }\n")
        machine.up(other, "wg1")
        assert sysctls(machine) == ["1", "0"], "without an address of IPv6"
        machine.up(INTERFACE + FULL)
        assert sysctls(machine) == ["1", "1"] and "net.ipv6.conf.eth0.accept_ra=2 before" in machine.said, machine.said
        machine.down("wg1")
        assert sysctls(machine) == ["1", "1"] and "holdfast" in machine.must("nft list table inet holdfast-wg0")
        machine.write("/etc/wireguard/wg0.yaml", "")
        machine.up()
        assert sysctls(machine) == ["0", "0"] and "inet" not in machine.must("nft list tables"), machine.said
        machine.down()
        machine.must("ip -6 route replace default via 2001:db8::1 dev eth0 proto ra")
        machine.clean("given back")
        machine.write("/etc/wireguard/wg1.yaml", "forward: { clamp_mss: true }\n")
        machine.write("/etc/wireguard/wg1.conf", other + "PostUp = exit 11\n")
        assert machine.holdfast("up", "wg1") == 11
        machine.clean("PostUp failed")
    print("given back")


def test_release():
    with Machine() as machine:
        machine.write("/etc/wireguard/wg0.yaml", "forward: { clamp_mss: true }\n")
        machine.up(INTERFACE + FULL)
        machine.must("sysctl -qw net.ipv4.conf.all.src_valid_mark=0")
        assert machine.holdfast("release") == 0 and "wg-quick does not know of forwarding" in machine.said, machine.said
        assert sysctls(machine) == ["0", "0"] and "inet" not in machine.must("nft list tables")
        assert machine.call("/usr/bin/wg-quick", "down", "wg0")[0] == 0
        machine.clean("released")
        machine.write("/etc/wireguard/wg0.yaml", "forward: { snat: { from: 10.0.0.0/8, interface: eth0 } }\n")
        assert machine.holdfast("up") == 1 and "/etc/wireguard/wg0.yaml:1:18: forward: snat: missing \"to\"" in machine.said, machine.said
        machine.clean("a mistake")
    print("release")


if __name__ == "__main__":
    run_module(globals(), can_run())
