#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A tunnel in a network namespace on kernel WireGuard, whose device is made there with its socket outside. About 10 seconds of
emulation."""
import os
import sys

sys.path.insert(0, "/holdfast/tests/integration/quick")
import test_netns  # noqa: E402


class Quiet(test_netns.Netns):
    """Looking at everything takes seconds here, so only some things are looked at."""

    def state(self):
        return ""


def port_is_bound(machine, enter):
    return f":{54321:04X} " in machine.must(f"{enter}cat /proc/net/udp")


def main():
    os.makedirs("/etc/wireguard", exist_ok=True)
    with open("/etc/resolv.conf", "a", encoding="ascii"):
        pass
    with Quiet() as machine:
        machine.yaml("namespace: vpn\n")
        machine.conf(test_netns.INTERFACE + "ListenPort = 54321\n" + test_netns.PEER)
        machine.up()
        assert "wireguard" in machine.must("ip -n vpn -d link show wg0")
        assert port_is_bound(machine, "") and not port_is_bound(machine, "ip netns exec vpn ")
        machine.reaches("203.0.113.9", "2001:db8:9::9", namespace="vpn")
        assert "suppress" not in machine.must("ip rule; ip -n vpn rule")
        machine.up()
        assert not test_netns.steps(machine), machine.said
        machine.down()
        assert machine.must("ip netns list").split()[0] == "far" and not port_is_bound(machine, "")
        assert machine.shell("ip link show wg0")[0] and not machine.shell("ls /run/holdfast/quick/*/wg0.json")[1]
    print("a tunnel in a network namespace")
    return 0


if __name__ == "__main__":
    sys.exit(main())
