# SPDX-License-Identifier: GPL-2.0-or-later
"""Two sites meet through a tunnel, and the network between them sees only WireGuard's own packets.

The middle router listens. A ping outside of the tunnel shows its pattern there; a ping between the sites shows it in both sites
and never in the middle. Once the tunnel is a fleet's, an agent on each router, once it is `holdfast up`'s, of files that wg-quick
would take. What Holdfast made is gone when the tunnels leave the fleet file and the daemons end, or after `holdfast down`.
"""
import os
import re
import time

from capture import Capture
from sites import PORT, LabError, expect, programs, run, running_sites, wait_for, wireguard

PLAIN, END = b"PLAIN", b"ENDED"


class OfTheFleet:
    """Tunnels of a fleet file, which asks the routers to forward."""

    def __init__(self, sites):
        self._sites = sites

    def start(self):
        self._sites.start(self._sites.fleet())
        self._sites.wait_tunnels()

    def stop(self):
        self._sites.apply(self._sites.fleet(tunnels=False))
        for site in self._sites.sites:
            wait_for(f"{site.tunnel} has gone", 10, lambda: not self._sites.flags(site))
        self._sites.stop()


class OfFiles:
    """Tunnels of a file each, on routers that forward anyway; no daemon of ours runs."""

    def __init__(self, sites):
        self._sites = sites
        for site in sites.sites:
            sites.machine(site.router).sysctl(net__ipv4__ip_forward=1)

    def start(self):
        first, second = self._sites.sites
        for here, there in (first, second), (second, first):
            os.makedirs(self._sites.files.path(here.router))
            wireguard.write_secret(self._path(here), f"""[Interface]
Address = {here.tunnel_address}/32
PrivateKey = {here.key}
ListenPort = {PORT}

[Peer]
PublicKey = {there.public}
AllowedIPs = {there.tunnel_address}/32, {there.lan}
Endpoint = {there.outer}:{PORT}""")
            self._holdfast("up", here)

    def stop(self):
        for site in self._sites.sites:
            self._holdfast("down", site)

    def _path(self, site):
        return self._sites.files.path(site.router, f"{site.tunnel}.conf")

    def _holdfast(self, verb, site):
        self._sites.machine(site.router).run(os.path.join(programs(), "holdfast"), verb, self._path(site))


class Story:
    def __init__(self, sites, tunnels):
        self._sites, self._tunnels, self._captures = sites, tunnels, []
        self._before = {}

    def _ping(self, host, address, pattern):
        """One answered ping; its pattern fills the packet."""
        machine = self._sites.machine(host)
        return machine.run("ping", "-n", "-c", "1", "-W", "5", "-p", pattern.hex(), address)

    def _capture(self, name, interface):
        path = self._sites.files.path(f"{name}-{interface}-{len(self._captures)}.pcap")
        self._captures.append(Capture(self._sites.machine(name), interface, path))
        return self._captures[-1]

    # ---- before ----

    def note(self):
        """What there is on the routers without us."""
        for site in self._sites.sites:
            self._before[site.router] = self._state(site)

    def _state(self, site):
        """What a program of ours could leave behind: interfaces, routes, rules, tables, sockets, journals, processes."""
        machine = self._sites.machine(site.router)

        def said(*command):
            return machine.run(*command, check=False).strip()
        return {"interfaces": sorted(re.findall(r"^\d+: ([^:@]+)", said("ip", "link"), re.M)),
                "routes": [said("ip", family, "route", "show", "table", "all", "proto", protocol)
                           for family in ("-4", "-6") for protocol in ("157", "158")],
                "rules": [said("ip", family, "rule", "show") for family in ("-4", "-6")],
                "firewall": said("nft", "list", "tables"),
                "sockets": said("sh", "-c", "ls /run/wireguard 2>/dev/null"),
                "journals": said("sh", "-c", "find /run/holdfast/quick -type f ! -name '*.lock' 2>/dev/null"),
                "processes": self._processes(machine)}

    def _processes(self, machine):
        """Commands that run there, but for this question itself and what only holds the namespaces (and may not reap the dead)."""
        stats = machine.run("sh", "-c", "cat /proc/[0-9]*/stat 2>/dev/null; :")
        found = re.findall(r"^\d+ \((.*)\) ([A-Z])", stats, re.M)
        return sorted(name for name, state in found if state != "Z" and name not in ("sh", "cat", "sleep"))

    # ---- the tunnel ----

    def start(self):
        self._tunnels.start()
        first, second = self._sites.sites
        wait_for("a host of one site reaches a host of the other", 15, lambda: self._sites.reaches(first.host, second.host_address))

    def outside_of_the_tunnel(self):
        """From router to router: the middle can read it."""
        first, second = self._sites.sites
        middle = self._capture("middle", f"net{first.number}")
        self._ping(first.router, second.outer, PLAIN)
        middle.wait_for(PLAIN * 4)
        seen = middle.stop()
        expect(seen.count(PLAIN * 4) >= 2, "the middle has not seen the ping and its answer")

    def through_the_tunnel(self):
        """From host to host: one hop for each router, and nothing readable in the middle, on either side of it."""
        first, second = self._sites.sites
        middles = [self._capture("middle", f"net{site.number}") for site in self._sites.sites]
        inside = self._capture(second.router, "lan")
        answer = self._ping(first.host, second.host_address, PLAIN)
        expect("ttl=62" in answer, f"the answer came another way: {answer}")
        inside.wait_for(PLAIN * 4)
        self._ping(first.router, second.outer, END)
        for middle in middles:
            middle.wait_for(END * 4)
            seen = middle.stop()
            expect(PLAIN not in seen, "the middle can read what goes through the tunnel")
            expect(PORT.to_bytes(2, "big") * 2 + (136).to_bytes(2, "big") in seen, "the middle has not seen the tunnel's packet")
        expect(inside.stop().count(PLAIN * 4) >= 2, "the other site has not seen the ping and its answer")

    # ---- the end ----

    def shut_down(self):
        """Nothing of ours is left on either router."""
        self._tunnels.stop()
        for site in self._sites.sites:
            self._expect_nothing_left(site)

    def _expect_nothing_left(self, site):
        before = self._before[site.router]
        try:
            wait_for("nothing is left", 5, lambda: self._state(site) == before)
        except LabError:
            after = self._state(site)
            for what in before:
                expect(after[what] == before[what], f"{site.router}: {what} were {before[what]}, now {after[what]}")

    def forget(self):
        for capture in self._captures:
            capture.forget()


def tell(kind):
    with running_sites() as sites:
        story = Story(sites, kind(sites))
        try:
            for step in (story.note, story.start, story.outside_of_the_tunnel, story.through_the_tunnel, story.shut_down):
                began = time.monotonic()
                step()
                print(f"  {step.__name__}: {time.monotonic() - began:.1f} s", flush=True)
        finally:
            sites.destroy()
            story.forget()


def two_sites_of_a_fleet():
    tell(OfTheFleet)


def two_sites_of_files():
    tell(OfFiles)


run(two_sites_of_a_fleet, two_sites_of_files)
