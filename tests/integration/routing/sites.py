# SPDX-License-Identifier: GPL-2.0-or-later
"""Two sites and a network between them that listens: five hosts, a tunnel from router to router.

    h1 - router1 - middle - router2 - h2

The tunnel is Holdfast's: an agent on each router, the controller on router1, where it has an address of its own.
"""
import json
import os
import re
import signal
import sys
from contextlib import contextmanager

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lab"))
from labtest import LabError, Missed, expect, programs, run, scratch_files, show_logs, wait_for  # noqa: E402,F401: the path comes first

from lab import wireguard           # noqa: E402
from lab.controller import Controller  # noqa: E402
from lab.files import Files         # noqa: E402
from lab.network import Network     # noqa: E402
from lab.service import Service     # noqa: E402

PORT = 51820
CONTROLLER = "172.31.1.10"


class Site:
    """Where a site is: `number` is in all its addresses."""

    def __init__(self, number):
        self.number, self.router, self.host, self.tunnel = number, f"router{number}", f"h{number}", f"site{number}"
        self.outer, self.middle = f"172.31.{number}.11", f"172.31.{number}.1"
        self.lan, self.lan6 = f"192.168.{number}.0/24", f"fd0{number}::/64"
        self.inside, self.inside6 = f"192.168.{number}.1", f"fd0{number}::1"
        self.host_address, self.host_address6 = f"192.168.{number}.11", f"fd0{number}::11"
        self.tunnel_address, self.tunnel_address6 = f"192.168.222.{number}", f"fdde::{number}"
        self.key = wireguard.private_key()
        self.public = wireguard.public_key(self.key)


class SiteFiles(Files):
    """Certificates, keys and configuration of the two routers; the controller lives on the first."""

    @classmethod
    def beside(cls, files):
        """In the scratch directory of another."""
        self = cls.__new__(cls)
        self.__dict__.update(files.__dict__)
        return self

    def make_router(self, site):
        etc = self.make_host(site.router, "gateway", site.router)
        wireguard.write_secret(os.path.join(etc, "tunnel.key"), site.key)
        self.write(site.router, "etc", "agent.yaml", text=json.dumps({
            "gateway": site.router, "controllers": [f"https://{CONTROLLER}:7443"],
            "tls": {"ca": "ca.pem", "certificate": f"{site.router}.pem", "key": f"{site.router}.key"},
            "health": {"listen": "127.0.0.1:9581"}, "wireguard": {"implementation": "auto"},
            "state": self.path(site.router, "state")}))

    def make_site_controller(self):
        self.make_host("ctl", "controller", "ctl")
        self._certify("operator", "alice", self.path("ctl", "etc"))
        self.write("ctl", "etc", "controller.yaml", text=json.dumps({
            "listen": f"{CONTROLLER}:7443", "tls": {"ca": "ca.pem", "certificate": "ctl.pem", "key": "ctl.key"},
            "store": f"sqlite:{self.path('ctl', 'state', 'controller.db')}", "state": self.path("ctl", "state"),
            "run": "/run/controller", "fleet": "fleet.yaml", "operators": {"alice": "admin"}}))
        self.write("ctl", "etc", "client.yaml", text=json.dumps({
            "controller": f"https://{CONTROLLER}:7443", "tls": {"ca": "ca.pem", "certificate": "alice.pem", "key": "alice.key"}}))

    def write_fleet_file(self, fleet):
        self.write("ctl", "etc", "fleet.yaml", text=json.dumps(fleet))  # JSON is YAML


class Sites:
    def __init__(self, files):
        self.files = SiteFiles.beside(files)
        self.sites = (Site(1), Site(2))
        self.network = Network()
        self.agents, self.controller = {}, None

    # ---- the hosts ----

    def machine(self, name):
        return self.network.machines[name]

    def build(self):
        """Hosts and cables, and the way between the routers' outer addresses."""
        middle = self.network.add("middle")
        middle.sysctl(net__ipv4__ip_forward=1)
        for site in self.sites:
            router, host = self.network.add(site.router), self.network.add(site.host)
            self.network.wire(middle, f"net{site.number}", router, "outer")
            self.network.wire(router, "lan", host, "eth0")
            middle.ip(f"addr add {site.middle}/24 dev net{site.number}")
            router.ip(f"addr add {site.outer}/24 dev outer", f"route add default via {site.middle}",
                      f"addr add {site.inside}/24 dev lan", f"addr add {site.inside6}/64 dev lan nodad")
            host.ip(f"addr add {site.host_address}/24 dev eth0", f"addr add {site.host_address6}/64 dev eth0 nodad",
                    f"route add default via {site.inside}", f"route add default via {site.inside6}")

    def reaches(self, host, address, *options):
        machine = self.machine(host)
        return machine.run("sh", "-c", 'ping -n -c 1 -W 1 "$@" >/dev/null 2>&1 && echo yes', "sh", *options, address,
                           check=False)

    # ---- Holdfast ----

    def fleet(self, tunnel=None, peer=None, tunnels=True):
        """A fleet file: what both tunnels and both peers have besides the least."""
        first, second = self.sites
        fleet = {"fleet": "sites", "defaults": {"liveness": "500ms"}, "gateways": {site.router: {"address": site.outer} for site in self.sites},
                 "tunnels": {}, "peers": {}}
        for here, there in ((first, second), (second, first)) if tunnels else ():
            fleet["tunnels"][here.tunnel] = {
                "private_key_file": "tunnel.key", "public_key": here.public, "listen_port": PORT, "gateways": [here.router],
                "address": f"{here.tunnel_address}/32", "forward": {"default": "accept"}, **(tunnel(here, there) if tunnel else {})}
            fleet["peers"][f"to-{there.tunnel}"] = {
                "public_key": there.public, "tunnels": [here.tunnel], "endpoint": f"{there.outer}:{PORT}",
                "allowed_ips": [f"{there.tunnel_address}/32", there.lan], **(peer(here, there) if peer else {})}
        return fleet

    def start(self, fleet):
        """The daemons, with a first fleet file."""
        self.files.make_authority()
        self.machine(self.sites[0].router).ip(f"addr add {CONTROLLER}/24 dev outer")
        self.files.make_site_controller()
        self.files.write_fleet_file(fleet)
        self.controller = Controller(self.machine(self.sites[0].router), self.files, programs())
        self.controller.start()
        for site in self.sites:
            self.files.make_router(site)
            self.agents[site.router] = Service(
                self.machine(site.router), "agent",
                [os.path.join(programs(), "holdfast-agent"), "--config", self.files.path(site.router, "etc", "agent.yaml")],
                self.files.log(site.router))
            self.agents[site.router].start()
        wait_for("both agents hold the first generation", 30, lambda: [
            gateway["connected"] and gateway["generation"] for gateway in self.controller.status()["gateways"]] == [1, 1])

    def apply(self, fleet):
        self.files.write_fleet_file(fleet)
        self.controller.holdfast("apply", self.files.fleet)

    def wait_tunnels(self, seconds=20):
        for site in self.sites:
            wait_for(f"{site.router} has its tunnel", seconds, lambda: "UP" in self.flags(site))

    def flags(self, site):
        """Of the tunnel's interface, as a set; empty while there is none."""
        shown = self.machine(site.router).run("ip", "link", "show", "dev", site.tunnel, check=False)
        found = re.search(r"<([A-Z_,]*)>", shown)
        return set(found.group(1).split(",")) if found else set()

    def stop(self):
        """Ends the daemons as an administrator would; each must end well."""
        for name, service in [*self.agents.items(), ("ctl", self.controller.service)]:
            status = service.stop()
            expect(status == 0, f"{service.name} of {name} ended with status {status}")

    def destroy(self):
        self.network.destroy()
        for service in [*self.agents.values(), *([self.controller.service] if self.controller else [])]:
            service.forget()


@contextmanager
def running_sites():
    """Hosts and cables; the caller starts what it needs. However the test ends, nothing stays."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    with scratch_files() as files:
        sites = Sites(files)
        try:
            sites.build()
            yield sites
        except (LabError, Missed):
            show_logs(files)
            raise
        finally:
            sites.destroy()
