#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Default routes without mark and rules, and host routes to endpoints: real packets to a real peer. Takes 11 s."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from compare import HOLDFAST, can_run, key, public  # noqa: E402
from machine import INTERFACE, PRIVATE, Machine, steps  # noqa: E402
from runner import run_module  # noqa: E402

FAR = key()

# Behind eth0: the router of the LAN, which is also the peer, at several addresses, and the world behind it.
WORLD = """
ip netns add far
ip link set eth0-far netns far
in_far() { ip netns exec far "$@"; }
in_far sysctl -qw net.ipv6.conf.eth0-far.disable_ipv6=0 net.ipv6.conf.eth0-far.accept_dad=0
in_far ip link set lo up
in_far ip link set eth0-far up
for address in 192.0.2.1/24 192.0.2.7/24; do in_far ip address add $address dev eth0-far; done
in_far ip address add 2001:db8::1/64 dev eth0-far nodad
for address in 198.51.100.1 198.51.100.2 198.51.100.3 203.0.113.9 2001:db8:51::1 2001:db8:113::9; do
	in_far ip address add $address dev lo
done
until ip -o link show eth0 | grep -q "state UP"; do :; done
ip route show default | grep -q . || ip route add default via 192.0.2.1
in_far unshare --mount sh -ec 'mount -t tmpfs none /run/wireguard; wireguard-go far0 >/dev/null 2>&1; wg setconf far0 /run/far'
in_far ip address add 10.50.0.1/24 dev far0
in_far ip address add fd50::1/64 dev far0
in_far ip link set far0 up
until ping -c 1 -W 1 192.0.2.1 >/dev/null && ping -c 1 -W 1 2001:db8::1 >/dev/null; do :; done
"""


class Site(Machine):
    """A machine with a peer that answers."""

    def __init__(self):
        super().__init__()
        self.write("/run/far", f"[Interface]\nPrivateKey = {FAR}\nListenPort = 51820\n"
                   f"[Peer]\nPublicKey = {public(PRIVATE)}\nAllowedIPs = 10.50.0.2/32, fd50::2/128\n")
        self.must(WORLD)
        self.fresh = self.state()

    def configure(self, yaml, endpoint="198.51.100.1:51820", allowed="0.0.0.0/0, ::/0", interface=""):
        self.write("/etc/wireguard/wg0.yaml", yaml)
        self.write("/etc/wireguard/wg0.conf", INTERFACE + interface +
                   f"\n[Peer]\nPublicKey = {public(FAR)}\nAllowedIPs = {allowed}\nEndpoint = {endpoint}\n")

    def reaches(self, *addresses):
        for address in addresses:
            status, out, _ = self.shell(f"ping -c 1 -W 5 {address}")
            assert status == 0, f"{address}: {out}" + self.must("ip route; ip -6 route; wg show wg0") + self.said

    def way(self, address, *options):
        status, out, said = self.shell(f"ip route get {address} {' '.join(options)}")
        return out.splitlines()[0] if status == 0 else said


def test_halves():
    with Site() as site:
        site.configure("default_route: halves\n")
        site.up()
        routes, routes6 = site.must("ip route"), site.must("ip -6 route")
        for half in ("0.0.0.0/1", "128.0.0.0/1"):
            assert f"{half} dev wg0 proto 158" in routes, routes
        for half in ("::/1", "8000::/1"):
            assert f"{half} dev wg0 proto 158" in routes6, routes6
        assert "198.51.100.1 via 192.0.2.1 dev eth0 proto 159 metric 1" in routes, routes
        assert "unreachable 198.51.100.1 proto 159 metric 2000000000" in routes, routes
        assert "suppress" not in site.must("ip rule; ip -6 rule") and "off" in site.must("wg show wg0 fwmark")
        assert "src_valid_mark = 0" in site.must("sysctl net.ipv4.conf.all.src_valid_mark")
        firewall = site.must("nft list ruleset")
        assert "preraw" in firewall and "mangle" not in firewall and "10.50.0.2" in firewall, firewall
        site.reaches("203.0.113.9", "2001:db8:113::9", "192.0.2.1", "2001:db8::1")
        assert "dev wg0" in site.way("203.0.113.9") and "dev eth0" in site.way("192.0.2.1") and "dev wg0" in site.way("2001:db8:113::9")
        assert site.holdfast("up") == 0 and not steps(site), site.said
        assert site.holdfast("release") == 1 and "host routes to its endpoints" in site.said, site.said
        assert "wg0" in site.must("ip link; ip route")
        site.down()
        site.clean("halves")
        assert site.holdfast("up", "wg0", "--dry-run") == 0
        assert "198.51.100.1/32 via 192.0.2.1 dev eth0" in site.said and "0.0.0.0/1 dev wg0" in site.said and "rule" not in site.said, site.said
        site.clean("a dry run")
        site.up()
        site.must("rm -r /run/holdfast")
        site.down()
        site.clean("a lost journal")
    print("halves")


def test_what_the_underlay_does():
    """Reloads follow it; in between nothing comes back into the tunnel."""
    with Site() as site:
        site.configure("default_route: halves\n")
        site.up()
        site.reaches("203.0.113.9")
        site.must("ip route replace default via 192.0.2.7")
        site.up()
        assert "via 192.0.2.7 dev eth0" in site.way("198.51.100.1") and len(steps(site)) == 1, site.said
        site.reaches("203.0.113.9")
        site.must("ip link set eth0 down")
        assert "No route to host" in site.way("198.51.100.1"), site.way("198.51.100.1")
        site.must("ip link set eth0 up; until ip -o link show eth0 | grep -q 'state UP'; do :; done")
        site.up()
        assert "No route to host" in site.way("198.51.100.1"), site.way("198.51.100.1")
        assert "203.0.113.9 dev wg0" in site.way("203.0.113.9")
        site.must("ip route add default via 192.0.2.1; ip -6 address replace 2001:db8::2/64 dev eth0 nodad")
        site.up()
        assert "via 192.0.2.1 dev eth0" in site.way("198.51.100.1")
        site.reaches("203.0.113.9", "192.0.2.1")
        site.must("ip -6 route add default via 2001:db8::1")
        site.down()
        site.clean("underlay")
    print("what the underlay does")


def test_endpoints_that_change():
    with Site() as site:
        site.configure("default_route: halves\n")
        site.up()
        site.configure("default_route: halves\n", endpoint="198.51.100.2:51820")
        site.up()
        assert "via 192.0.2.1 dev eth0" in site.way("198.51.100.2") and "dev wg0" in site.way("198.51.100.1")
        order = [line for line in steps(site) if "198.51.100" in line or "wg set" in line]
        assert len(order) == 5 and "198.51.100.2" in order[0] and "wg set" in order[2] and "del" in order[3], order
        site.reaches("203.0.113.9")
        site.must("ip route add 198.51.100.3 via 192.0.2.7 metric 50")
        site.configure("default_route: halves\n", endpoint="198.51.100.3:51820")
        site.up()
        assert "via 192.0.2.7" in site.way("198.51.100.3") and "159" not in site.must("ip route"), site.must("ip route")
        site.reaches("203.0.113.9")
        site.configure("default_route: halves\n", endpoint="[2001:db8:51::1]:51820")
        site.up()
        assert "via 2001:db8::1 dev eth0" in site.way("2001:db8:51::1")
        assert "unreachable 2001:db8:51::1" in site.must("ip -6 route"), site.must("ip -6 route")
        site.reaches("203.0.113.9", "2001:db8:113::9")
        site.must("rm /etc/wireguard/wg0.yaml")
        site.up()
        assert "suppress" in site.must("ip rule") and "159" not in site.must("ip route; ip -6 route") and "0.0.0.0/1" not in site.must("ip route")
        site.reaches("203.0.113.9")
        site.configure("default_route: halves\n", endpoint="192.0.2.1:51820")
        site.up()
        assert "suppress" not in site.must("ip rule") and "off" in site.must("wg show wg0 fwmark")
        assert "159" not in site.must("ip route"), "one on the LAN needs none"
        site.reaches("203.0.113.9")
        site.down()
        assert "198.51.100.3 via 192.0.2.7" in site.must("ip route"), "the user's own stays"
        site.must("ip route delete 198.51.100.3")
        site.clean("endpoints")
    print("endpoints that change")


def test_host_routes():
    """AllowedIPs that cover the endpoint: in the main table, and in a table of one's own."""
    with Site() as site:
        site.configure("host_routes: true\n", allowed="198.51.100.0/24, 10.50.0.1/32, 203.0.113.0/24")
        site.up()
        site.reaches("203.0.113.9", "10.50.0.1")
        assert "via 192.0.2.1 dev eth0" in site.way("198.51.100.1") and "dev wg0" in site.way("198.51.100.77")
        site.configure("host_routes: true\n", interface="Table = 600\n")
        site.up()
        assert "159" not in site.must("ip route")
        table = site.must("ip route show table 600")
        assert "default dev wg0 proto 158" in table and "198.51.100.1 via 192.0.2.1 dev eth0 proto 159" in table, table
        site.must("ip rule add pref 100 lookup 600")
        site.reaches("203.0.113.9")
        site.must("ip rule delete pref 100")
        site.down()
        site.clean("a table of one's own")
        site.configure("host_routes: true\n")
        site.up()
        assert "159" not in site.must("ip route show table all"), "rules need none"
        site.reaches("203.0.113.9")
        site.down()
        site.clean("rules")
    print("host routes")


def test_two_tunnels_to_one_endpoint():
    other = (f"[Interface]\nPrivateKey = {key()}\nAddress = 10.51.0.2/32\n[Peer]\nPublicKey = {public(FAR)}\n"
             "AllowedIPs = 198.51.0.0/16\nEndpoint = 198.51.100.1:51820\n")
    for first, second in (("wg0", "wg1"), ("wg1", "wg0")):
        with Site() as site:
            site.configure("default_route: halves\n")
            site.write("/etc/wireguard/wg1.yaml", "host_routes: true\n")
            site.up()
            site.up(other, "wg1")
            site.down(first)
            assert "via 192.0.2.1 dev eth0" in site.way("198.51.100.1"), site.way("198.51.100.1")
            site.down(second)
            site.clean("two tunnels to one endpoint")
    print("two tunnels to one endpoint")


def test_a_lost_journal_of_two():
    """Whose a host route is only journals tell: without one, what may be the other tunnel's stays until that goes."""
    other = (f"[Interface]\nPrivateKey = {key()}\nAddress = 10.51.0.2/32\n[Peer]\nPublicKey = {public(FAR)}\n"
             "AllowedIPs = 198.51.0.0/16\nEndpoint = 198.51.100.1:51820\n")
    for lost in ("wg0.json", "*.json"):
        with Site() as site:
            site.configure("default_route: halves\n")
            site.write("/etc/wireguard/wg1.yaml", "host_routes: true\n")
            site.up(other, "wg1")
            site.must("ip link set wg1 mtu 1400")
            site.up()
            ways = site.must("ip route show proto 159")
            assert ways.count("198.51.100.1 via") == 2, ways
            site.must(f"rm /run/holdfast/quick/net-*/{lost}")
            site.down()
            left = site.must("ip route show proto 159")
            assert left.count("198.51.100.1 via") == (1 if lost == "wg0.json" else 2), lost + ways + left + site.said
            site.down("wg1")
            site.clean("a lost journal of two: " + lost)
    print("a lost journal of two")


def test_killed_anywhere():
    """After each line that up says: the next down, or up, cleans."""
    with Site() as site:
        site.configure("default_route: halves\n", interface="PostUp = true\n")
        for line in range(1, 40):
            process = site.start(HOLDFAST, "up", "wg0")
            seen = [process.stderr.readline() for _ in range(line)]
            pid = site.shell("pgrep -f 'holdfast up'")[1].split()
            if pid:
                site.shell(f"kill -9 {pid[0]}")
            process.communicate(timeout=30)
            site.said = "".join(seen)
            if line % 2:
                site.up()
                site.down()
            else:
                site.holdfast("down")
            site.clean(f"killed after line {line}: {site.said}")
            if not seen[-1]:
                break
        assert line > 10, line
    print("killed anywhere, cleaned up")


def test_leaks_are_told():
    cases = {"rules": ("", "0.0.0.0/0", True), "rules, both": ("", "0.0.0.0/0, ::/0", False), "halves": ("default_route: halves\n", "0.0.0.0/0", True), "halves of the file": ("", "0.0.0.0/1, 128.0.0.0/1", True),
             "both": ("default_route: halves\n", "0.0.0.0/0, ::/0", False), "one half": ("", "0.0.0.0/1", False),
             "both, by halves": ("", "0.0.0.0/1, 128.0.0.0/1, ::/1, 8000::/1", False)}
    with Site() as site:
        for what, (yaml, allowed, told) in cases.items():
            site.configure(yaml, allowed=allowed, endpoint="192.0.2.1:51820")
            site.up()
            assert ("leaves in the open" in site.said) == told, f"{what}: {site.said}"
            site.down()
        site.clean("leaks")
    print("leaks are told")


def test_an_agent_follows():
    with Site() as site:
        site.configure("default_route: halves\n")
        site.write("/run/agent.yaml", '{ health: { listen: "127.0.0.1:9581" }, run: /run/holdfast, state: /run/state }')
        agent = site.start(HOLDFAST + "-agent", "--config", "/run/agent.yaml")
        ask = "curl -s --unix-socket /run/holdfast/agent.sock http://localhost/v1/status"
        site.until("the agent answers", lambda: site.shell(ask)[1])
        site.up()
        site.until("it keeps wg0", lambda: '"up"' in site.shell(ask)[1])
        for what, trouble in {
            "another gateway": "ip route replace default via 192.0.2.7",
            "the same again": "ip route replace default via 192.0.2.1",
            "a link that flaps": "ip link set eth0 down; ip link set eth0 up; ip route add default via 192.0.2.7",
            "a host route deleted": "ip route delete 198.51.100.1 proto 159 metric 1",
            "both": "ip route flush proto 159",
            "a peer that roams": f"wg set wg0 peer {public(FAR)} endpoint 198.51.100.2:51820; ip link set wg0 txqueuelen 501",
        }.items():
            site.must(trouble)
            gateway = "192.0.2.1" if "again" in what else "192.0.2.7"
            endpoint = "198.51.100.2" if "roams" in what else "198.51.100.1"
            site.until(what, lambda: f"via {gateway} dev eth0" in site.way(endpoint) and
                       f"unreachable {endpoint}" in site.must("ip route"))
        site.reaches("203.0.113.9")
        site.down()
        site.must("kill $(pgrep holdfast-agent)")
        agent.communicate(timeout=20)
        assert not site.shell("ip route show table all | grep -e 159 -e wg0")[1]
    print("an agent follows")


if __name__ == "__main__":
    run_module(globals(), can_run())
