# SPDX-License-Identifier: GPL-2.0-or-later
"""A network that several routers lead to: what its tests share, whoever the gateways are."""
import time

HOST, LAN, HOST6, LAN6 = "192.168.77.5", "192.168.77.0/24", "fd77::5", "fd77::/64"
DETECTION_MS = 500 + 3 * 500        # node-agent/core/holder: at worst an interval, and three time-outs
MOVE_MS = 100                       # from then to the first answer


def add_host(network, bridge):
    """The host in it that is asked."""
    host = network.add("host")
    network.plug(host, bridge, bridge)
    host.ip(f"addr add {HOST}/24 dev {bridge}", f"addr add {HOST6}/64 dev {bridge} nodad")


def route_into(network, machine, bridge, number):
    """A router into it, of which answers come back by it, since it translates what it sends there."""
    network.plug(machine, bridge, bridge)
    machine.ip(f"addr add 192.168.77.{100 + number}/24 dev {bridge}", f"addr add fd77::{100 + number}/64 dev {bridge} nodad")
    machine.sysctl(net__ipv4__ip_forward=1, net__ipv6__conf__all__forwarding=1)
    machine.run("nft", "-f", "-", text=f"""
        table inet nat {{
          chain post {{ type nat hook postrouting priority srcnat; oifname "{bridge}" masquerade; }}
        }}""")


def end_device(machine, interface):
    """A router's WireGuard ends with its device, without a word to anybody."""
    machine.run("ip", "link", "del", interface)


def who_has(machine, tunnels, prefix, names):
    """The peers whose allowed IPs on that gateway have it, by names of their keys, and the tunnel its route leads into, as the kernel and wg
    say."""
    found = []
    for tunnel in tunnels:
        for line in machine.run("wg", "show", tunnel, "allowed-ips", check=False).splitlines():
            key, *prefixes = line.split()
            found += [names[key]] if prefix in prefixes else []
    family = "-6" if ":" in prefix else "-4"
    route = machine.run("ip", family, "-o", "route", "show", prefix, check=False).split()
    return found, route[route.index("dev") + 1] if "dev" in route else None


def noticed(log, text):
    """When the gateway of that log last noticed that this had to move: before it does anything about it. Wall-clock seconds."""
    now = time.time()
    with open(log, encoding="utf-8", errors="replace") as lines:
        line = [line for line in lines if " holder-moves " in line and text in line][-1]
    hours, minutes, seconds = line.split(None, 1)[0].split(":")
    day = time.localtime(now)
    at = time.mktime((day.tm_year, day.tm_mon, day.tm_mday, int(hours), int(minutes), 0, 0, 0, -1)) + float(seconds)
    return at if at <= now else at - 86400     # before midnight
