#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Names of peers of `holdfast up`: no resolver at the start, answers that flip, a peer that roamed, with and without an agent.
Costs 50 s, most of them the 15 s and more that a silent peer is waited for."""
import os
import subprocess
import sys
import time

sys.dont_write_bytecode = True
from keeping import FAR_PORT, Machine, main, run, until  # noqa: E402

NAMED = f"AllowedIPs = 10.60.0.0/24\nEndpoint = site1.example.test:{FAR_PORT}"


def endpoint(machine):
    return machine.inside("wg", "show", machine.site, "endpoints", check=False).split()[-1:]


def goes_to(machine, address):
    return lambda: endpoint(machine) == [f"{address}:{FAR_PORT}"]


def received(machine):
    return int(machine.inside("wg", "show", machine.site, "transfer").split()[-2])


def queries(machine):
    return open(machine.dir + "/dnsmasq.log").read().count("query[A]")


def only(machine, address):
    """The far end is reachable at this address alone."""
    family = "ip6" if ":" in address else "ip"
    run("ip", "netns", "exec", machine.router, "nft", "-f", "-", stdin=f"""table inet only
        delete table inet only
        table inet only {{
            chain input {{ type filter hook input priority 0
                {family} daddr {address} accept
                udp dport {FAR_PORT} drop
            }}
            chain output {{ type filter hook output priority 0
                {family} saddr {address} accept
                udp sport {FAR_PORT} drop
            }}
        }}""")


def test_without_an_agent_it_is_as_with_wg_quick(machine):
    """No resolver: `up` tries again, and a signal ends that; nothing stays."""
    machine.site = machine.write("n", "Address = 10.60.0.1/24", NAMED)
    child = machine.start_holdfast("up", machine.site)
    for line in child.stdout:
        if "trying again" in line:
            break
    child.terminate()
    child.communicate(timeout=60)
    assert child.returncode == 143, child.returncode
    assert f" {machine.site}:" not in machine.ip("link")


def test_a_resolver_that_is_down_at_the_start(machine):
    machine.start()
    began = time.monotonic()
    said = machine.up(machine.site)
    assert "comes up without it" in said and "site1.example.test" in said, said
    print(f"  up without a resolver: {(time.monotonic() - began) * 1000:.0f} ms", flush=True)
    assert endpoint(machine) == ["(none)"] and "10.60.0.1/24" in machine.ip("addr", "show", "dev", machine.site)
    until("the warning", lambda: "site1.example.test, where a peer is, could not be resolved yet" in str(machine.ready()["warnings"]))
    assert machine.ready()["ready"]
    machine.make_far()
    machine.trouble("the resolver comes up late", lambda: machine.dns("10.9.0.21"), goes_to(machine, "10.9.0.21"))
    assert not machine.ready()["warnings"], machine.ready()


def test_a_name_that_does_not_exist_is_an_error(machine):
    name = machine.write("x", "Address = 10.64.0.1/24", "AllowedIPs = 10.64.0.0/24\nEndpoint = nowhere.test:1")
    said = machine.holdfast("up", name, status=1)
    assert "nowhere.test" in said and f" {name}:" not in machine.ip("link"), said


def test_a_changed_underlay_asks_anew(machine):
    def act():
        machine.dns("10.9.0.22")
        machine.ip("route", "replace", "default", "via", "10.9.0.1", "mtu", "1499")
    machine.trouble("DNS flips, and the underlay changes", act, goes_to(machine, "10.9.0.22"))
    before = queries(machine)
    machine.ways()
    until("it has asked again", lambda: queries(machine) > before)


def test_the_name_points_elsewhere_and_the_peer_has_gone(machine):
    ping = subprocess.Popen(["ip", "netns", "exec", machine.host, "ping", "-q", "-i", "0.5", "10.60.0.2"],
                            stdout=subprocess.DEVNULL)
    until("the far end answers", lambda: received(machine) > 0)

    def act():
        machine.dns("10.9.0.21")
        only(machine, "10.9.0.21")
    machine.trouble("DNS flips, the old address is dead", act, goes_to(machine, "10.9.0.21"))
    before = received(machine)
    until("the far end answers from there", lambda: received(machine) > before)

    def lose_ip4():
        machine.dns("10.9.0.21", "2001:db8::1")
        only(machine, "2001:db8::1")
    machine.trouble("the name has an AAAA as well, and only that answers", lose_ip4,
                    lambda: endpoint(machine) == [f"[2001:db8::1]:{FAR_PORT}"])
    before = received(machine)
    until("the far end answers over IPv6", lambda: received(machine) > before)
    run("ip", "netns", "exec", machine.router, "nft", "delete", "table", "inet", "only")
    ping.terminate()
    ping.wait()


def test_what_roamed_stays(machine):
    """The far end sends from another port now, which is in no DNS; neither a new answer nor a reload takes it back."""
    port = machine.inside("wg", "show", machine.site, "listen-port").strip()
    far = f"y{os.getpid()}"
    run("ip", "netns", "exec", machine.router, "wg", "set", far, "listen-port", "4713", "peer", machine.public, "endpoint",
        f"10.9.0.11:{port}", "persistent-keepalive", "1")
    until("it has roamed", lambda: endpoint(machine)[0].endswith(":4713"), 30)
    roamed, before = endpoint(machine), queries(machine)
    machine.dns("10.9.0.22")
    machine.ip("route", "replace", "default", "via", "10.9.0.1", "mtu", "1498")
    until("it has asked", lambda: queries(machine) > before, 60)
    machine.quiet(machine.site)
    machine.up(machine.site)
    assert endpoint(machine) == roamed, endpoint(machine)


def test_nothing_stays(machine):
    machine.holdfast("down", machine.site)
    until("no tunnel is left", lambda: not machine.ask("/v1/status")["tunnels"])
    assert machine.stop() == 0


if __name__ == "__main__":
    main([test_without_an_agent_it_is_as_with_wg_quick, test_a_resolver_that_is_down_at_the_start,
          test_a_name_that_does_not_exist_is_an_error, test_a_changed_underlay_asks_anew,
          test_the_name_points_elsewhere_and_the_peer_has_gone, test_what_roamed_stays, test_nothing_stays],
         Machine(), "Names of `holdfast up`'s peers")
