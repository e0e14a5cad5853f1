#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The real systemd-networkd, with a catch-all of the administrator's: what deploy/ installs keeps it away from our tunnel; without that
it takes rules, routes and addresses away, and the agent puts them back. About 10 s."""
import re
import time

from booted import BUS, run
from tunnel import FAR, Tunnel

NETWORKD = "systemd-networkd.service"
AGENT = "holdfast-agent.service"
FILES = {
    "/etc/systemd/network/10-eth0.network": "[Match]\nName=eth0\n[Network]\nAddress=192.0.2.2/24\nAddress=2001:db8::2/64\n"
                                            "Gateway=192.0.2.1\nGateway=2001:db8::1\nIPv6AcceptRA=no\n[IPv6AcceptRA]\n",
    "/etc/systemd/network/99-all.network": "[Match]\nName=*\n[Network]\nAddress=10.123.0.1/24\nIPv6AcceptRA=no\n"}
DROP_INS = ("/usr/local/lib/systemd/networkd.conf.d/90-holdfast.conf", "/usr/local/lib/systemd/network/05-holdfast.network")


def state_of(machine, link):
    """What networkd says of it; it writes that down when it is done with it."""
    index = machine.run("cat", f"/sys/class/net/{link}/ifindex").strip()
    return machine.call("sed", "-n", "s/^ADMIN_STATE=//p", f"/run/systemd/netif/links/{index}")[1].strip()


def settled(machine, wg0):
    """eth0 is configured and has its routes, and wg0 is what it shall be to networkd."""
    return state_of(machine, "eth0") == "configured" and state_of(machine, "wg0") == wg0 and \
        "192.0.2.1" in machine.ip("route", "show", "default") and "2001:db8::1" in machine.ip("-6", "route", "show", "default")


def restart(machine, wg0):
    """With the states of before out of the way: those that are read are the new ones."""
    machine.run("systemctl", "stop", NETWORKD)
    machine.run("sh", "-c", "rm -f /run/systemd/netif/links/*")
    machine.start(NETWORKD)
    machine.until("networkd is done", lambda: settled(machine, wg0))


def flap(machine):
    machine.ip("link", "set", "eth0", "down")
    machine.until("networkd has noticed", lambda: "default" not in machine.ip("route", "show", "table", "main"))
    machine.ip("link", "set", "eth0", "up")
    machine.until("networkd is done", lambda: settled(machine, "unmanaged"))


def reconfigure(machine, link, wg0):
    """Debian 12's networkd takes away what it does not know then, and not when it starts."""
    machine.run("networkctl", "reload")
    machine.run("sh", "-c", "rm -f /run/systemd/netif/links/$(cat /sys/class/net/$0/ifindex)", link)
    machine.run("networkctl", "reconfigure", link)
    machine.until("networkd is done", lambda: settled(machine, wg0))


def ours(machine):
    """Rules, and what there is of wg0, in the kernel's words, but for what the kernel and the catch-all make."""
    def lines(*what):
        return sorted(line.strip() for family in ("-4", "-6") for line in machine.ip(family, *what).splitlines()
                      if not re.search(r"fe80|ff00|10\.123", line))
    return lines("rule"), lines("route", "show", "table", "all", "dev", "wg0"), lines("-o", "addr", "show", "dev", "wg0")


def lost(machine):
    return sorted({line for before, now in zip(machine.before, ours(machine)) for line in set(before) - set(now)})


def test_it_leaves_ours_alone(machine):
    """No agent is there that would put anything back."""
    machine.start(NETWORKD)
    machine.until("networkd has configured eth0", lambda: state_of(machine, "eth0") == "configured")
    machine.start("holdfast@wg0")
    machine.until("the tunnel carries packets", machine.tunnel.ping)
    machine.until("networkd knows it", lambda: settled(machine, "unmanaged"))
    machine.before = ours(machine)
    assert any("suppress_prefixlength" in rule for rule in machine.before[0])
    for act in (lambda: restart(machine, "unmanaged"), lambda: flap(machine),
                lambda: reconfigure(machine, "eth0", "unmanaged")):
        act()
        assert ours(machine) == machine.before, (machine.before, ours(machine))
        assert "10.123" not in machine.ip("addr", "show", "dev", "wg0"), "the catch-all is not for it"
        machine.until("the tunnel carries packets", machine.tunnel.ping)


def test_it_does_harm(machine):
    """What the agent is there for, and proof that the files are what kept it away."""
    machine.run("rm", *DROP_INS)
    restart(machine, "configured")
    reconfigure(machine, "eth0", "configured")
    machine.until("it takes rules that it does not know", lambda: any("fwmark" in line for line in lost(machine)))
    reconfigure(machine, "wg0", "configured")
    machine.until("and routes", lambda: any("default" in line for line in lost(machine)))
    machine.until("and addresses", lambda: any("10.50.0.2" in line for line in lost(machine)))
    for line in lost(machine):
        print("  lost without the agent: " + line)


def test_the_agent_repairs(machine):
    machine.write("/etc/holdfast/agent.yaml", "{}\n")
    machine.start(AGENT)
    machine.until("all of it is back", lambda: not lost(machine))
    for link in ("eth0", "wg0", "wg0"):
        before = machine.journal(AGENT).count("repaired ")
        began = time.monotonic()
        machine.run("networkctl", "reconfigure", link)
        machine.until("the agent says what it does", lambda n=before: machine.journal(AGENT).count("repaired ") > n)
        machine.until("all of it is back", lambda: settled(machine, "configured") and not lost(machine))
        print(f"  whole again {(time.monotonic() - began) * 1000:.0f} ms after networkctl reconfigure {link}")
        machine.until("the tunnel carries packets", machine.tunnel.ping)


def make_tunnel(machine):
    machine.tunnel = Tunnel(machine)


run([test_it_leaves_ours_alone, test_it_does_harm, test_the_agent_repairs], make_tunnel,
    units=[NETWORKD, "systemd-networkd.socket", *BUS], prepare=FAR, files=FILES)
