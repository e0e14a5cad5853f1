#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Name servers by the real systemd-resolved, openresolv and resolvconf of Debian: who is asked for what while the tunnel is up,
and after; beside wg-quick; kept by the agent. Takes 9 s, and what apt-get download takes the first time."""
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from compare import BIN, HOLDFAST, WG_QUICK, can_run, diff, key, public  # noqa: E402
from machine import INTERFACE, Machine  # noqa: E402
from resolvers import WITH, start  # noqa: E402
from unpacked import unpack  # noqa: E402

FAR = key()
PEER = f"\n[Peer]\nPublicKey = {public(FAR)}\nAllowedIPs = 10.50.0.0/24, fd50::/64\nEndpoint = 192.0.2.1:51820\n"
SERVERS = "DNS = 10.50.0.1\n"
LAN, TUNNEL, OTHER = "192.0.2.99", "10.50.0.99", "10.50.0.98"

# The other end of the uplink: who answers there says LAN to every question, in the tunnel TUNNEL, and OTHER at 10.50.0.3.
FAR_SIDE = """
mkdir -p /run/netns
ip netns add far
ip link set eth0-far netns far
ip netns exec far bash -e <<'END'
mount -t tmpfs none /run/wireguard
ip link set lo up
ip link set eth0-far up
ip address add 192.0.2.1/24 dev eth0-far
wireguard-go wgfar >/run/wgfar.log 2>&1
wg set wgfar listen-port 51820 private-key /run/far.key peer {peer} allowed-ips 10.50.0.2/32
ip address add 10.50.0.1/24 dev wgfar
ip address add 10.50.0.3/24 dev wgfar
ip link set wgfar up
say() {{ dnsmasq --conf-file=/dev/null --no-resolv --no-hosts --bind-interfaces --user=root --pid-file= --listen-address=$1 \
	--except-interface=lo --address=/#/$2; }}
say 192.0.2.1 {lan}
say 10.50.0.1 {tunnel}
say 10.50.0.3 {other}
END
"""


class Resolving(Machine):
    """One with that program and a far side."""

    def __init__(self, package, root):
        super().__init__(resolvconf=False)
        start(self, package, root)
        self.write("/run/far.key", FAR)
        own = public(re.search(r"PrivateKey = (\S+)", INTERFACE).group(1))
        self.must(FAR_SIDE.format(peer=own, lan=LAN, tunnel=TUNNEL, other=OTHER))
        self.fresh = self.state()

    def address_of(self, name):
        status, out, said = self.call("getent", "ahostsv4", name)
        return out.split()[0] if status == 0 else said + str(status)

    def answers(self, **names):
        """What each is: www_corp_example=TUNNEL."""
        for name, wanted in names.items():
            name = name.replace("_", ".")
            self.until(f"{name} is {wanted}", lambda name=name, wanted=wanted: self.address_of(name) == wanted, 10)

    def sidecar(self, text):
        self.write("/etc/wireguard/wg0.yaml", text)

    def start_agent(self):
        self.write("/run/agent.yaml", '{ "health": { "listen": "127.0.0.1:9581" }, "log": "debug", "run": "/run/holdfast" }\n')
        log = "exec \"$0\" --config /run/agent.yaml >/run/agent.log 2>&1"
        self.agent = self.start("sh", "-c", log, BIN + "/holdfast-agent")
        self.until("the agent keeps wg0", lambda: "wg0" in self.shell("cat /run/agent.log")[1])

    def nudge(self):
        self.must("ip link set wg0 txqueuelen $((500 + RANDOM % 100))")

    def stop_agent(self):
        self.must("kill " + self.pid_of("^ *[0-9]+ [^ ]*holdfast-agent"))
        self.agent.communicate(timeout=20)
        self.must("rm -rf /run/agent.* /run/holdfast/agent*")


def killed(machine):
    """`up`, killed when the name servers are set: `down` takes them back."""
    machine.write("/etc/wireguard/wg0.conf", INTERFACE + SERVERS + "PostUp = touch /run/here; while [ -e /run/here ]; do sleep 0.05; done\n" + PEER)
    process = machine.start(HOLDFAST, "up", "wg0")
    machine.until("PostUp", lambda: machine.shell("test -e /run/here")[0] == 0)
    machine.answers(www_example_test=TUNNEL)
    machine.must(f"kill -KILL {machine.pid_of('holdfast up wg0')}")
    machine.must("rm /run/here")  # its hook lives on, and ends
    process.communicate()
    machine.down()


def links(machine):
    """What systemd-resolved knows of wg0."""
    return [re.sub(r".*\(wg0\):? ?", "", machine.must(f"resolvectl {what} wg0")).strip() for what in ("dns", "domain")]


def test_resolved(root):
    with Resolving("systemd-resolved", root) as machine:
        before = machine.must("resolvectl dns; resolvectl domain")

        def is_back(what):
            machine.answers(www_example_test=LAN)
            assert machine.must("resolvectl dns; resolvectl domain") == before, what
            machine.clean(what)
        machine.answers(www_example_test=LAN)
        machine.up(INTERFACE + SERVERS + "DNS = lan.example\n" + PEER)  # by its own resolvconf, as wg-quick
        assert "resolvconf -a wg0" in machine.said and links(machine)[0] == "10.50.0.1", machine.said
        machine.answers(www_example_test=TUNNEL)
        told = links(machine)
        machine.up(INTERFACE + "DNS = 10.50.0.3\n" + PEER)
        assert links(machine) == ["10.50.0.3", "~."]
        machine.answers(www_example_test=OTHER)
        machine.down()
        is_back("resolvconf of systemd")

        machine.write("/etc/wireguard/wg0.conf", INTERFACE + SERVERS + "DNS = lan.example\n" + PEER)
        assert machine.call(WG_QUICK, "up", "wg0")[0] == 0 and links(machine) == told, told
        assert machine.call(WG_QUICK, "down", "wg0")[0] == 0

        machine.sidecar("dns_domains: [corp.example, 50.10.in-addr.arpa]\n")
        machine.up()
        servers, domains = links(machine)
        assert servers == "10.50.0.1" and sorted(domains.split()) == ["lan.example", "~50.10.in-addr.arpa", "~corp.example"], domains
        machine.answers(www_corp_example=TUNNEL, www_lan_example=TUNNEL, www_example_test=LAN, corp_example=TUNNEL)
        machine.sidecar("dns_domains: [other.example]\n")
        machine.up()
        machine.answers(www_other_example=TUNNEL, www_corp_example=LAN)
        machine.start_agent()
        machine.must("resolvectl revert wg0")
        machine.nudge()
        machine.answers(www_other_example=TUNNEL, www_corp_example=LAN)
        machine.must("rm /etc/wireguard/wg0.yaml")
        machine.up()
        machine.answers(www_other_example=TUNNEL, www_corp_example=TUNNEL)
        machine.must("resolvectl revert wg0")
        machine.nudge()
        machine.answers(www_corp_example=TUNNEL)
        machine.stop_agent()
        machine.down()
        is_back("some domains")

        killed(machine)
        is_back("killed")
    print("systemd-resolved")


def beside_wg_quick(machine):
    """What wg-quick makes of the same file is what holdfast makes."""
    machine.write("/etc/wireguard/wg0.conf", INTERFACE + "DNS = 10.50.0.1, fd50::1, lan.example\n" + PEER)
    seen = []
    for program in (WG_QUICK, HOLDFAST):
        for verb in ("up", "down"):
            status, _, said = machine.call(program, verb, "wg0")
            assert status == 0, said
            seen.append(machine.read("/etc/resolv.conf") + machine.must("resolvconf -l; find /run/resolvconf -type f | sort"))
    assert "nameserver fd50::1" in seen[0] and seen[:2] == seen[2:], "\n".join(diff(seen[0] + seen[1], seen[2] + seen[3]))


def all_names(machine):
    before = machine.read("/etc/resolv.conf")
    machine.answers(www_example_test=LAN)
    beside_wg_quick(machine)
    machine.up(INTERFACE + SERVERS + PEER)
    machine.answers(www_example_test=TUNNEL)
    machine.up(INTERFACE + "DNS = 10.50.0.3\n" + PEER)
    machine.answers(www_example_test=OTHER)
    machine.start_agent()
    machine.must(f"resolvconf -d $(cd /run/resolvconf/interface*; ls | grep wg0) -f")
    machine.nudge()
    machine.answers(www_example_test=OTHER)
    machine.stop_agent()
    machine.down()
    killed(machine)
    assert machine.read("/etc/resolv.conf") == before
    machine.answers(www_example_test=LAN)
    machine.clean("all names")


def test_resolvconf(root):
    with Resolving("resolvconf", root) as machine:
        all_names(machine)
        machine.sidecar("dns_domains: [corp.example]\n")
        machine.write("/etc/wireguard/wg0.conf", INTERFACE + SERVERS + PEER)
        assert machine.holdfast("up") == 1 and "dns_domains: Debian's resolvconf has no" in machine.said, machine.said
    print("resolvconf")


def test_openresolv(root):
    with Resolving("openresolv", root) as machine:
        all_names(machine)
        machine.must("printf 'name_servers=127.0.0.1\\ndnsmasq_conf=/run/split.conf\\ndnsmasq_resolv=/run/split.resolv\\n' >>/etc/resolvconf.conf")
        machine.sidecar("dns_domains: [corp.example]\n")
        machine.up(INTERFACE + SERVERS + PEER)
        machine.must("dnsmasq --conf-file=/run/split.conf --resolv-file=/run/split.resolv --no-hosts --user=root --pid-file=/run/split.pid "
                     "--listen-address=127.0.0.1 --bind-interfaces")
        machine.answers(www_corp_example=TUNNEL, www_example_test=LAN)
        machine.must("kill $(cat /run/split.pid)")
        machine.down()
        assert "corp.example" not in machine.must("cat /run/split.conf; resolvconf -l")
    print("openresolv")


def main():
    if not can_run():
        return 77
    left_out = 0
    for name, test in list(globals().items()):
        if not name.startswith("test_") or (len(sys.argv) > 1 and name not in sys.argv[1:]):
            continue
        package = name.removeprefix("test_").replace("resolved", "systemd-resolved")
        root, why = unpack(package, *WITH.get(package, []))
        if root:
            test(root)
        else:
            print(f"left out: {package} could not be downloaded: {why}")
            left_out += 1
    return 77 if left_out else 0


if __name__ == "__main__":
    sys.exit(main())
