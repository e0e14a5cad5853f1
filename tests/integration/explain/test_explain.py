#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Each kind of no, injected for real: explain names it as the first, and a real packet fails, too; and all is well again without
it. About 8 s."""
import sys

from scene import FAR, FAR6, HOLDFAST, PORT, Site, can_run, key, public

OTHER = public(key())


def move_away(site):
    return f"wg set wg0 peer {OTHER} allowed-ips {FAR}/32"


def troubles(site):
    """What, where it is said, words of it, what breaks it, what mends it; `forwarded`: a packet of the host behind."""
    peer = site.far_public
    mend_peer = f"wg set wg0 peer {peer} allowed-ips 10.50.0.1/32,10.60.0.0/16,fd60::/64 endpoint 192.0.2.1:{PORT}"
    yield ("the route is deleted", "route", "goes by default via 192.0.2.1 dev eth0, not into wg0",
           "ip route del 10.60.0.0/16", "ip route add 10.60.0.0/16 dev wg0")
    yield ("a more specific route elsewhere", "route", f"goes by {FAR}/32 dev eth1",
           f"ip route add {FAR}/32 dev eth1", f"ip route del {FAR}/32 dev eth1")
    yield ("a blackhole", "route", f"blackhole {FAR}/32", f"ip route add blackhole {FAR}/32", f"ip route del {FAR}/32")
    yield ("unreachable", "route", "unreachable 10.60.0.0/24", "ip route add unreachable 10.60.0.0/24",
           "ip route del unreachable 10.60.0.0/24")
    yield ("a rule in the way", "route", "table 77",
           "ip route add default dev eth1 table 77; ip rule add preference 100 to 10.60.0.0/16 lookup 77",
           "ip rule del preference 100; ip route flush table 77")
    yield ("a rule that prohibits", "route", "100: from all to 10.60.0.0/16 prohibit",
           "ip rule add preference 100 to 10.60.0.0/16 prohibit", "ip rule del preference 100")
    yield ("the allowed IP is another peer's", "allowed-ip", OTHER, move_away(site),
           f"wg set wg0 peer {OTHER} remove; {mend_peer}")
    yield ("the allowed IP is nobody's", "allowed-ip", "of no peer", f"wg set wg0 peer {peer} allowed-ips 10.50.0.1/32", mend_peer)
    yield ("an nft rule in a foreign table", "firewall", 'inet their out, rule 1 (handle 2, "no tunnels") drops it at output',
           'nft "add table inet their; add chain inet their out { type filter hook output priority 5; }; '
           'add rule inet their out oifname wg0 drop comment \\"no tunnels\\""', "nft delete table inet their")
    yield ("WireGuard's own packets dropped", "outer-firewall", "inet their out, rule 1 (handle 2) drops it at output",
           'nft "add table inet their; add chain inet their out { type filter hook output priority 5; }; '
           f'add rule inet their out udp sport {PORT} drop"', "nft delete table inet their")
    yield ("its answers dropped", "answer-firewall", "ip their in, policy drops it at input",
           'nft "add table ip their; add chain ip their in { type filter hook input priority 5; policy drop; }; '
           'add rule ip their in iifname lo accept; add rule ip their in iifname wg0 accept"', "nft delete table ip their")
    yield ("what comes out of the tunnel dropped", "reply-firewall", "drops it at input",
           'nft "add table ip their; add chain ip their in { type filter hook input priority 5; }; '
           'add rule ip their in iifname wg0 drop"', "nft delete table ip their")
    yield ("the endpoint is routed into the tunnel", "outer-route", "would come back into it",
           "ip route add 192.0.2.1/32 dev wg0", "ip route del 192.0.2.1/32 dev wg0")
    yield ("no route to the endpoint", "outer-route", "unreachable 192.0.2.1/32",
           # wireguard-go keeps to the interface of the last answer, whatever the routes say, until it is told an endpoint
           f"ip route add unreachable 192.0.2.1/32; {mend_peer}", "ip route del unreachable 192.0.2.1/32")
    yield ("the device is down", "tunnel", "wg0 is down", "ip link set wg0 down",
           "ip link set wg0 up; ip route replace 10.60.0.0/16 dev wg0; ip -6 route replace fd60::/64 dev wg0")
    yield ("strict reverse path filtering", "outer-rp_filter", "leads to eth1",
           "sysctl -qw net.ipv4.conf.eth0.rp_filter=1; ip route add 192.0.2.1/32 dev eth1 table 78; "
           "ip rule add preference 100 lookup 78; ip rule add preference 99 fwmark 7 lookup main; wg set wg0 fwmark 7",
           "ip rule del preference 100; ip rule del preference 99; ip route flush table 78; "
           "sysctl -qw net.ipv4.conf.eth0.rp_filter=0; wg set wg0 fwmark 0")


def forwarded_troubles(site):
    yield ("forwarding is off", "forwarding", "IPv4 is not forwarded from eth1",
           "sysctl -qw net.ipv4.conf.eth1.forwarding=0", "sysctl -qw net.ipv4.conf.eth1.forwarding=1")
    yield ("forwarding is off for answers", "forwarding", "IPv4 is not forwarded from wg0",
           "sysctl -qw net.ipv4.conf.wg0.forwarding=0", "sysctl -qw net.ipv4.conf.wg0.forwarding=1")
    yield ("strict reverse path filtering where it comes in", "forwarding", "rp_filter is strict (1) on eth1",
           "sysctl -qw net.ipv4.conf.eth1.rp_filter=1; ip route add 192.168.1.9/32 via 192.0.2.1",
           "sysctl -qw net.ipv4.conf.eth1.rp_filter=0; ip route del 192.168.1.9/32")
    yield ("a policy of drop", "firewall", "ip filter FORWARD, policy drops it at forward",
           'nft "add table ip filter; add chain ip filter FORWARD { type filter hook forward priority filter; policy drop; }"',
           "nft delete table ip filter")
    yield ("a policy of drop, and only answers let through", "firewall", "ip filter FORWARD, policy",
           'nft "add table ip filter; add chain ip filter FORWARD { type filter hook forward priority filter; policy drop; }; '
           'add rule ip filter FORWARD ct state established,related accept"', "conntrack -F 2>/dev/null || true; nft delete table ip filter")
    yield ("a rule that rejects", "firewall", "ip filter FORWARD, rule 1 (handle 2) rejects it at forward",
           'nft "add table ip filter; add chain ip filter FORWARD { type filter hook forward priority filter; }; '
           'add rule ip filter FORWARD iifname eth1 oifname wg* ip daddr 10.60.0.0/16 reject"', "nft delete table ip filter")
    yield ("a rule for the host behind", "route", "goes by default dev eth0 table 77",
           "ip route add default dev eth0 table 77; ip rule add preference 100 from 192.168.1.9 iif eth1 lookup 77",
           "ip rule del preference 100; ip route flush table 77")
    yield ("strict reverse path filtering on the tunnel", "rp_filter", "leads to eth0",
           "sysctl -qw net.ipv4.conf.wg0.rp_filter=1; ip route del 10.60.0.0/16; ip route add 10.60.0.0/16 dev wg0 table 77; "
           "ip rule add preference 100 fwmark 7 lookup 77; "
           "nft 'add table ip their; add chain ip their pre { type filter hook prerouting priority mangle; }; "
           "add rule ip their pre iifname eth1 meta mark set 7'",
           "ip rule del preference 100; ip route flush table 77; ip route add 10.60.0.0/16 dev wg0; nft delete table ip their; "
           "sysctl -qw net.ipv4.conf.wg0.rp_filter=0")


def expect(answer, what, step, words):
    assert answer.first == step, f"{what}: {answer.first}, not {step}: {answer.findings}"
    said = [finding["text"] for finding in answer.noes if finding["step"] == step]
    assert words in said[0], f"{what}: {said}"
    assert answer.noes[0].get("todo"), f"{what}: what to do?"


def go_through(site, cases, ask, host):
    for what, step, words, inject, mend in cases:
        site.machine.must(inject)
        expect(ask(), what, step, words)
        assert not site.arrives(False, host=host), f"{what}: a ping came back all the same"
        site.machine.must(mend)
        assert site.arrives(True, host=host), f"{what}: mended, and no ping comes back"
        answer = ask()
        assert answer.first is None, f"{what}, mended: {answer.findings}"
        print(f"  {what}: {step}", flush=True)


def test_all_is_well(site):
    assert site.ping() and site.ping(address=FAR6) and site.ping(host=site.lan)
    for answer in (site.explain(), site.explain(address=FAR6), site.forwarded()):
        assert answer.first is None and not answer.doubts, answer.findings
    status, out, _ = site.machine.call(HOLDFAST, "explain", site.far_public, FAR)
    assert status == 0 and "Nothing here says no." in out and "10.60.0.0/16 dev wg0" in out, out


def test_troubles(site):
    go_through(site, troubles(site), site.explain, site.machine)
    go_through(site, forwarded_troubles(site), site.forwarded, site.lan)


def test_the_first_no_is_marked(site):
    site.machine.must(f"ip route add blackhole {FAR}/32; wg set wg0 peer {OTHER} allowed-ips {FAR}/32")
    status, out, _ = site.machine.call(HOLDFAST, "explain", site.far_public, FAR)
    lines = [line.split()[:3] for line in out.splitlines() if line.startswith((">", "  no"))]
    assert status == 1 and lines == [[">", "NO", "route"], ["no", "allowed-ip", "wg0"]], out
    assert "The first to say no: route: blackhole" in out, out
    site.machine.must(f"ip route del {FAR}/32; wg set wg0 peer {OTHER} remove; "
                      f"wg set wg0 peer {site.far_public} allowed-ips 10.50.0.1/32,10.60.0.0/16,fd60::/64")


def test_mtu(site):
    """A large packet that must not be fragmented on the way does not arrive."""
    site.machine.must("ip link set wg0 mtu 1480")
    expect(site.explain(), "MTU", "mtu", "1480, with WireGuard's 60 bytes around it 1540, and the way to the peer takes 1500")
    site.machine.must("ip link set wg0 mtu 1420; ip route change 192.0.2.0/24 dev eth0 mtu 1400")
    expect(site.explain(), "MTU of a route", "mtu", "takes 1400")
    site.machine.must("ip route change 192.0.2.0/24 dev eth0")
    assert site.explain().first is None


def test_ip6(site):
    site.machine.must("ip -6 route del fd60::/64")
    expect(site.explain(address=FAR6), "no IPv6 route", "route", "there is no route")
    site.machine.must("ip -6 route add fd60::/64 dev wg0; ip -6 rule add preference 100 to fd60::/64 unreachable")
    expect(site.explain(address=FAR6), "an IPv6 rule", "route", "100: from all to fd60::/64 unreachable refuses")
    site.machine.must("ip -6 rule del preference 100; sysctl -qw net.ipv6.conf.wg0.disable_ipv6=1")
    answer = site.explain(address=FAR6)
    assert answer.first == "route" and answer.steps["source"]["text"] == "IPv6 is switched off on wg0", answer.findings
    site.machine.must("sysctl -qw net.ipv6.conf.wg0.disable_ipv6=0; ip address add fd50::2/64 dev wg0 nodad; "
                      "ip -6 route add fd60::/64 dev wg0")
    assert site.arrives(True, address=FAR6) and site.explain(address=FAR6).first is None


def test_peers(site):
    expect(site.explain(peer=OTHER), "a key", "peer", "no tunnel of this machine has the peer")
    expect(site.explain(peer="alice"), "a name", "peer", "no agent answers")
    site.machine.must(f"wg set wg0 peer {OTHER} allowed-ips 10.61.0.1/32; ip route add 10.61.0.0/16 dev wg0")
    expect(site.explain(peer=OTHER, address="10.61.0.1"), "no endpoint", "endpoint", "until it dials in")
    site.machine.must(f"wg set wg0 peer {OTHER} endpoint 192.0.2.1:9")
    assert not site.ping(address="10.61.0.1", wait_s=0.25)
    expect(site.explain(peer=OTHER, address="10.61.0.1"), "no handshake", "handshake", "there never was a handshake")
    site.machine.must(f"wg set wg0 peer {OTHER} remove; ip route del 10.61.0.0/16")


def test_own_address(site):
    expect(site.explain(address="192.168.1.1"), "our own", "route", "this machine's own address")
    assert site.explain(address="192.168.1.1").steps["rule"]["text"] == "0: from all lookup local"


def test_a_default_route(site):
    """As wg-quick does it: marks, rules, a table; and what reverse path filtering makes of it."""
    assert site.machine.call(HOLDFAST, "down", "wg0")[0] == 0
    site.up(f"""
        [Interface]
        PrivateKey = {site.private}
        Address = 10.50.0.2/24, fd50::2/64
        ListenPort = {PORT}
        [Peer]
        PublicKey = {site.far_public}
        AllowedIPs = 0.0.0.0/0, ::/0
        Endpoint = 192.0.2.1:{PORT}
    """)
    assert site.arrives(True)
    answer = site.explain()
    assert answer.first is None and answer.text("rule") == "32765: not from all fwmark 0xca6c lookup 51820", answer.findings
    site.machine.must("sysctl -qw net.ipv4.conf.all.rp_filter=1; ip route del default")
    assert site.explain().first is None and site.arrives(True)
    site.machine.must("ip route add 203.0.113.0/24 via 192.0.2.1; ip route add default via 192.0.2.1; "
                      f"wg set wg0 peer {site.far_public} endpoint 192.0.2.1:{PORT}")
    site.machine.must("ip rule add preference 100 to 10.60.0.0/16 lookup main")
    expect(site.explain(), "a rule of somebody's", "route", "default via 192.0.2.1 dev eth0")
    assert "since the rule 100: from all to 10.60.0.0/16 lookup main comes first" in site.explain().noes[0]["todo"]
    site.machine.must("ip rule del preference 100")


def test_used_wrongly(site):
    for arguments in ([], ["x"], ["x", "10.60"], ["--nonsense", "x", FAR], ["--tcp", "0", "x", FAR], ["--udp", "65536", "x", FAR],
                      ["--from", "10.0.0.1", "x", FAR], ["--in", "eth1", "--from", "fd60::1", "x", FAR], ["x" * 80, FAR],
                      ["--in", "sixteen-letters!", "x", FAR]):
        status, out, said = site.machine.call(HOLDFAST, "explain", *arguments)
        assert status == 2 and not out and "usage: holdfast explain" in said, (arguments, status, said)
    status, _, said = site.machine.call(HOLDFAST, "explain", "--in", "eth9", "x", FAR)
    assert status == 1 and "eth9" in said, said


def main():
    if not can_run():
        print("needs root, wireguard-go and wg-quick")
        sys.exit(77)
    with Site() as site:
        for test in (test_all_is_well, test_troubles, test_the_first_no_is_marked, test_mtu, test_ip6, test_peers, test_own_address,
                     test_used_wrongly, test_a_default_route):
            print(test.__name__, flush=True)
            test(site)


main()
