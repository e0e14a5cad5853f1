# SPDX-License-Identifier: GPL-2.0-or-later
"""Routing daemons over a tunnel of Holdfast's: with `multicast: true` they meet, without they do not.

The same on wireguard-go and on kernel WireGuard; every step prints how long it took.
"""
import base64
import ipaddress
import time
from contextlib import contextmanager

from bird import Bird
from sites import expect, running_sites, wait_for

from lab import wireguard


def _for_a_daemon(multicast):
    """The tunnel as docs/fleet.md has it for a routing daemon."""
    def tunnel(here, there):
        return {"address": [{"local": here.tunnel_address, "peer": there.tunnel_address},
                            {"local": here.tunnel_address6, "peer": there.tunnel_address6}],
                "link_local": True, **({"multicast": True} if multicast else {})}
    return tunnel


def _unrouted(_here, _there):
    return {"allowed_ips": ["0.0.0.0/0", "::/0"], "route": False}


@contextmanager
def _took(what):
    began = time.monotonic()
    yield
    print(f"  {what}: {time.monotonic() - began:.1f} s", flush=True)


class Scenario:
    def __init__(self, sites, patience):
        self._sites, self._patience = sites, patience
        self._birds = []

    def wait(self, what, condition):
        return wait_for(what, self._patience, condition)

    def both(self, what, condition):
        for bird in self._birds:
            self.wait(what, lambda: condition(bird))

    def router(self, site):
        return self._sites.machine(site.router)

    # ---- the interface ----

    def start(self):
        """Nothing is said of multicast: it is off, whatever WireGuard runs."""
        self._sites.start(self._sites.fleet(_for_a_daemon(False), _unrouted))
        self._sites.wait_tunnels(self._patience)
        kernel = wireguard.is_kernel(self.router(self._sites.sites[0]), self._sites.sites[0].tunnel)
        print(f"  {'kernel WireGuard' if kernel else 'wireguard-go'}", flush=True)
        return kernel

    def addresses_are_as_the_file_says(self):
        for here, there in (self._sites.sites, self._sites.sites[::-1]):
            shown = self.router(here).run("ip", "-o", "addr", "show", "dev", here.tunnel)
            expect(f"inet {here.tunnel_address} peer {there.tunnel_address}/32" in shown, shown)
            expect(f"inet6 {here.tunnel_address6} peer {there.tunnel_address6}/128" in shown, shown)
            expect(f"inet6 {_link_local(here.public)}/64 scope link" in shown, shown)
            routes = self.router(here).run("ip", "route", "show", "dev", here.tunnel)
            expect(there.lan not in routes and "default" not in routes, f"an unrouted peer has routes: {routes}")

    def multicast_is(self, on):
        for site in self._sites.sites:
            self.wait(f"multicast of {site.tunnel} is {'on' if on else 'off'}",
                      lambda: ("MULTICAST" in self._sites.flags(site)) == on)

    # ---- the daemons ----

    def start_birds(self):
        self._birds = [Bird(self.router(site), site, self._sites.files) for site in self._sites.sites]

    def they_do_not_meet(self):
        """Both protocols try, more than once, and cannot."""
        before = {(bird, protocol): bird.complaints(protocol) for bird in self._birds for protocol in ("ospf1", "babel1")}
        for (bird, protocol), count in before.items():
            self.wait(f"{protocol} cannot send", lambda: bird.complaints(protocol) > count + 1)
        self.both("nobody has a neighbour", lambda bird: not bird.neighbours())
        for here, there in (self._sites.sites, self._sites.sites[::-1]):
            router = self.router(here)
            self.wait(f"{here.router} has no route to {there.lan}", lambda: not router.run("ip", "route", "show", there.lan))
            # Babel itself keeps one that leads nowhere for a while.
            self.wait(f"{here.router} has no route to {there.lan6}",
                      lambda: here.tunnel not in router.run("ip", "-6", "route", "show", there.lan6))

    def they_meet(self):
        self.both("OSPF is adjacent", lambda bird: bird.ospf_adjacent())
        self.both("Babel has a neighbour", lambda bird: bird.babel_adjacent())
        for here, there in (self._sites.sites, self._sites.sites[::-1]):
            router = self.router(here)
            self.wait(f"{here.router} has learned {there.lan}", lambda: "proto bird" in router.run("ip", "route", "show", there.lan))
            self.wait(f"{here.router} has learned {there.lan6}",
                      lambda: "proto bird" in router.run("ip", "-6", "route", "show", there.lan6))

    def hosts_reach_each_other(self):
        first, second = self._sites.sites
        self.wait("ping over OSPF's routes", lambda: self._sites.reaches(first.host, second.host_address))
        self.wait("ping over Babel's routes", lambda: self._sites.reaches(first.host, second.host_address6, "-6"))

    def apply(self, tunnel, peer):
        self._sites.apply(self._sites.fleet(tunnel, peer))

    # ---- routes of peers ----

    def peers_have_routes_of_their_own(self):
        first, second = self._sites.sites
        router = self.router(first)
        self.apply(None, lambda here, there: {"route_table": 100 + here.number, "route_metric": 50})
        self.wait("the routes are in a table of their own", lambda: "metric 50" in router.run(
            "ip", "route", "show", "table", "101", second.lan, check=False))
        expect(not router.run("ip", "route", "show", second.lan), "the route is in the main table, too")
        self.apply(None, lambda here, there: {"disabled": here is first})
        self.wait("a disabled peer has gone", lambda: second.public not in router.run("wg", "show", first.tunnel, "peers"))
        self.wait("with its routes", lambda: not router.run("ip", "route", "show", "table", "101", check=False))
        expect(first.public in self.router(second).run("wg", "show", second.tunnel, "peers"), "the other one has gone")

    def stop(self):
        for bird in self._birds:
            expect(bird.stop() == 0, "bird did not end well")
        self._sites.stop()

    def forget(self):
        for bird in self._birds:
            bird.forget()


def _link_local(public_key):
    """fe80::/64 and the first 8 bytes of the key, as docs/fleet.md says."""
    return ipaddress.IPv6Address(bytes([0xfe, 0x80, 0, 0, 0, 0, 0, 0]) + base64.b64decode(public_key)[:8])


def play(expected_kernel=None, patience=15):
    """The whole of it. `patience`: seconds that anything may take."""
    with running_sites() as sites:
        scenario = Scenario(sites, patience)
        try:
            _play(scenario, expected_kernel)
        finally:
            sites.destroy()
            scenario.forget()


def _play(scenario, expected_kernel):
    with _took("two routers with a tunnel"):
        kernel = scenario.start()
        expect(expected_kernel in (None, kernel), "this is not the WireGuard that was meant")
    scenario.addresses_are_as_the_file_says()
    scenario.multicast_is(False)
    with _took("without multicast nobody meets"):
        scenario.start_birds()
        scenario.they_do_not_meet()
    with _took("multicast on a running tunnel: adjacency and routes"):
        scenario.apply(_for_a_daemon(True), _unrouted)
        scenario.multicast_is(True)
        scenario.they_meet()
        scenario.hosts_reach_each_other()
    with _took("multicast off again: they part"):
        scenario.apply(_for_a_daemon(False), _unrouted)
        scenario.multicast_is(False)
        scenario.they_do_not_meet()
    with _took("routes of peers"):
        scenario.peers_have_routes_of_their_own()
    scenario.stop()
