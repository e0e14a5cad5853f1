#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The real NetworkManager: with the file that deploy/ installs our tunnel is none of its business; without that it may be taken for a
connection of its own and ended, and the agent puts it back."""
import os
import re
import sys
import time

from booted import BUS, ROOT, run, skip
from tunnel import FAR, Tunnel

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "quick"))
from unpacked import missing, unpack  # noqa: E402

MANAGER = "NetworkManager.service"
AGENT = "holdfast-agent.service"
DROP_IN = "/etc/NetworkManager/conf.d/90-holdfast.conf"
FILES = {
    "/etc/NetworkManager/NetworkManager.conf": "[main]\nplugins=keyfile\ndns=none\nrc-manager=unmanaged\n",
    "/etc/NetworkManager/system-connections/eth0.nmconnection":
        "[connection]\nid=eth0\ntype=ethernet\ninterface-name=eth0\n[ipv4]\nmethod=manual\naddress1=192.0.2.2/24,192.0.2.1\n"
        "[ipv6]\nmethod=manual\naddress1=2001:db8::2/64,2001:db8::1\n"}


def state_of(machine, link):
    """What NetworkManager says of it."""
    for line in machine.call("nmcli", "-t", "-f", "DEVICE,STATE", "device")[1].splitlines():
        if line.startswith(link + ":"):
            return line.split(":", 1)[1]
    return None


def connected(machine):
    return state_of(machine, "eth0") == "connected" and "192.0.2.1" in machine.ip("route", "show", "default") and \
        "2001:db8::1" in machine.ip("-6", "route", "show", "default")


def restart(machine):
    machine.run("systemctl", "restart", MANAGER)
    machine.until("NetworkManager has connected eth0", lambda: connected(machine))


def reload(machine):
    machine.run("systemctl", "reload", MANAGER)
    machine.run("nmcli", "connection", "reload")
    machine.run("nmcli", "device", "reapply", "eth0")
    machine.until("NetworkManager has connected eth0", lambda: connected(machine))


def flap(machine):
    machine.ip("link", "set", "eth0", "down")
    machine.until("its routes have gone", lambda: "default" not in machine.ip("route", "show", "table", "main"))
    machine.ip("link", "set", "eth0", "up")
    machine.until("NetworkManager has connected eth0", lambda: connected(machine))


def ours(machine):
    """Rules, and what there is of wg0, in the kernel's words."""
    def lines(*what):
        return sorted(line.strip() for family in ("-4", "-6") for line in machine.ip(family, *what).splitlines() if not re.search("fe80|ff00", line))
    link = re.findall(r"mtu \d+|UP", machine.ip("link", "show", "dev", "wg0"))
    return lines("rule"), lines("route", "show", "table", "all", "dev", "wg0"), lines("-o", "addr", "show", "dev", "wg0"), link


def lost(machine):
    return sorted({line for before, now in zip(machine.before, ours(machine)) for line in set(before) - set(now)})


def test_it_leaves_ours_alone(machine):
    """No agent is there that would put anything back."""
    machine.start(MANAGER)
    machine.until("NetworkManager has connected eth0", lambda: connected(machine))
    machine.start("holdfast@wg0")
    machine.until("the tunnel carries packets", machine.tunnel.ping)
    machine.before = ours(machine)
    for act in (restart, flap, reload):
        act(machine)
        assert state_of(machine, "wg0") == "unmanaged", machine.run("nmcli", "device")
        assert not lost(machine), lost(machine)
        machine.until("the tunnel carries packets", machine.tunnel.ping)
    assert machine.call("nmcli", "device", "disconnect", "wg0")[0] != 0, "it lets nobody take it by mistake either"
    assert not lost(machine), lost(machine)


def test_it_does_harm(machine):
    """Proof that the file is what kept it away."""
    machine.run("rm", DROP_IN)
    restart(machine)
    machine.until("it takes the tunnel for its own", lambda: (state_of(machine, "wg0") or "").startswith("connected"))
    print("  state of wg0:", state_of(machine, "wg0"))
    machine.run("nmcli", "device", "disconnect", "wg0")
    machine.until("what was on it has gone", lambda: any("10.50.0.2" in line for line in lost(machine)))
    for line in lost(machine):
        print("  lost without the agent: " + line)


def test_the_agent_repairs(machine):
    machine.write("/etc/holdfast/agent.yaml", "{}\n")
    machine.start(AGENT)
    machine.until("all of it is back", lambda: not lost(machine))
    machine.until("the tunnel carries packets", machine.tunnel.ping)
    for _ in range(2):
        before = machine.journal(AGENT).count("repaired ")
        machine.until("it takes the tunnel for its own", lambda: (state_of(machine, "wg0") or "").startswith("connected"))
        began = time.monotonic()
        machine.run("nmcli", "device", "disconnect", "wg0")
        machine.until("the agent says what it does", lambda n=before: machine.journal(AGENT).count("repaired ") > n)
        machine.until("all of it is back", lambda: not lost(machine))
        print(f"  whole again {(time.monotonic() - began) * 1000:.0f} ms after nmcli device disconnect wg0")
        machine.until("the tunnel carries packets", machine.tunnel.ping)


def make_tunnel(machine):
    machine.tunnel = Tunnel(machine)


def main():
    needed = missing("network-manager")
    root, why = unpack("network-manager", *[name for name in needed or [] if name not in ("network-manager", "udev")])
    if not root:
        skip(f"NetworkManager can't be downloaded: {why}")
    with open(ROOT + "/deploy/NetworkManager/holdfast.conf", encoding="utf-8") as file:
        FILES[DROP_IN] = file.read()  # as docs/agent.md says for a prefix that is not /usr
    run([test_it_leaves_ours_alone, test_it_does_harm, test_the_agent_repairs], make_tunnel,
        units=[MANAGER, *BUS], prepare="chmod 600 /etc/NetworkManager/system-connections/*\n" + FAR, files=FILES, over=root)


main()
