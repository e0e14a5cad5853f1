# SPDX-License-Identifier: GPL-2.0-or-later
"""One gateway and a network that several routers lead to, in two tunnels; stock WireGuard on all of them.

             +- site-a (wg0) -+
    gw -outer+- site-b (wg0) -+lan- host
             +- region (wg0) -+
             +- hub    (wg1) -+
             +- other  (wg0)

Each router translates what it sends into the network, so that answers come back by it.
"""
import json
import os
import sys
import time
from contextlib import contextmanager

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lab"))
from labtest import LabError, Missed, expect, programs, scratch_files, show_logs, wait_for  # noqa: E402,F401: the path comes first

from lab import wireguard           # noqa: E402
from lab.controller import Controller  # noqa: E402
from lab.files import Files         # noqa: E402
from lab.network import Network     # noqa: E402
from lab.service import Service     # noqa: E402

GATEWAY, HOST, LAN, LAN6, HOST6 = "10.9.0.11", "192.168.77.5", "192.168.77.0/24", "fd77::/64", "fd77::5"
CONTROLLER_PORT = 7445      # the agent beside it has the usual one for liveness
PORTS = {"wg0": 51820, "wg1": 51821}
NETS = {"wg0": "10.50.0", "wg1": "10.51.0"}


class Router:
    """A peer: `number` is in all its addresses."""

    def __init__(self, network, name, number, tunnel, gateway_key):
        self.machine, self.name, self.number, self.tunnel = network.add(name), name, number, tunnel
        self.address = f"{NETS[tunnel]}.{number}"
        self._gateway_key, self._key = gateway_key, wireguard.private_key()
        self.public = wireguard.public_key(self._key)
        network.plug(self.machine, "outer", "outer")
        self.machine.ip(f"addr add 10.9.0.{20 + number}/24 dev outer")

    def plug_into_lan(self, network):
        network.plug(self.machine, "lan", "lan")
        self.machine.ip(f"addr add 192.168.77.{100 + self.number}/24 dev lan",
                        f"addr add fd77::{100 + self.number}/64 dev lan nodad")
        self.machine.sysctl(net__ipv4__ip_forward=1, net__ipv6__conf__all__forwarding=1)
        self.machine.run("nft", "-f", "-", text="""
            table inet nat {
              chain post { type nat hook postrouting priority srcnat; oifname "lan" masquerade; }
            }""")

    def connect(self):
        wireguard.create(self.machine, "wg")
        self.machine.run("wg", "setconf", "wg", "/dev/stdin", text=f"""
            [Interface]
            PrivateKey = {self._key}
            [Peer]
            PublicKey = {self._gateway_key}
            Endpoint = {GATEWAY}:{PORTS[self.tunnel]}
            AllowedIPs = 10.50.0.0/24, 10.51.0.0/24, fd50::/64, fd51::/64
            PersistentKeepalive = 25
            """)
        self.machine.ip(f"addr add {self.address}/32 dev wg", "link set wg mtu 1420 up", "route add 10.50.0.0/24 dev wg",
                        "route add 10.51.0.0/24 dev wg", "route add fd50::/64 dev wg", "route add fd51::/64 dev wg")

    def die(self):
        """Its WireGuard ends with its device, without a word to anybody."""
        self.machine.run("ip", "link", "del", "wg")


class Place:
    def __init__(self, files):
        self.files, self.network, self.services = files, Network(), []
        self.keys = {tunnel: wireguard.private_key() for tunnel in PORTS}
        self.routers = {}
        self.controller = None

    def build(self):
        fabric = self.network.add("fabric")
        fabric.ip(*(f"link add {bridge} type bridge" for bridge in ("outer", "lan")),
                  *(f"link set {bridge} up" for bridge in ("outer", "lan")))
        fabric.run("sh", "-c", "for s in /proc/sys/net/bridge/bridge-nf-call-*; do [ ! -e $s ] || echo 0 > $s; done")
        self.gateway, host = self.network.add("gw"), self.network.add("host")
        self.network.plug(self.gateway, "outer", "outer")
        self.network.plug(host, "lan", "lan")
        self.gateway.ip(f"addr add {GATEWAY}/24 dev outer")
        host.ip(f"addr add {HOST}/24 dev lan", f"addr add {HOST6}/64 dev lan nodad")
        for name, number, tunnel in (("site-a", 8, "wg0"), ("site-b", 9, "wg0"), ("region", 11, "wg0"), ("hub", 10, "wg1"), ("other", 2, "wg0")):
            router = Router(self.network, name, number, tunnel, wireguard.public_key(self.keys[tunnel]))
            self.routers[name] = router
            if name != "other":
                router.plug_into_lan(self.network)

    def fleet(self):
        """As the routers stand in preference: site-a, site-b; the region with what is around their network, in the same tunnel; and the hub with
        all that is around that, in another."""
        def prefix(net, **more):
            return {"prefix": net, **more}
        allowed = {
            "site-a": [prefix(LAN, priority=200, probe=HOST), prefix(LAN6, priority=200, probe=HOST6)],
            "site-b": [prefix(LAN, priority=100, probe=f"{NETS['wg0']}.9"), prefix(LAN6, probe=f"{NETS['wg0']}.9")],
            "region": [prefix("192.168.64.0/18", probe=f"{NETS['wg0']}.11"), prefix("fd77::/48", probe=f"{NETS['wg0']}.11")],
            "hub": ["192.168.0.0/16", "fd00::/8"], "other": []}
        return {
            "fleet": "overlap", "defaults": {"liveness": "500ms"}, "gateways": {"gw": {"address": GATEWAY}},
            "tunnels": {tunnel: {"private_key_file": f"{tunnel}.key", "public_key": wireguard.public_key(self.keys[tunnel]),
                                 "address": [f"{NETS[tunnel]}.1/24", f"fd5{tunnel[2]}::1/64"], "listen_port": port, "gateways": ["gw"]}
                        for tunnel, port in PORTS.items()},
            "peers": {router.name: {"public_key": router.public, "tunnels": router.tunnel,
                                    "allowed_ips": [f"{router.address}/32", *allowed[router.name]]}
                      for router in self.routers.values()}}

    def start(self):
        """The daemons, both on the gateway."""
        self.files.make_authority()
        etc = self.files.make_host("gw", "gateway", "gw")
        for tunnel, key in self.keys.items():
            wireguard.write_secret(os.path.join(etc, f"{tunnel}.key"), key)
        self.files.write("gw", "etc", "agent.yaml", text=json.dumps({
            "gateway": "gw", "controllers": [f"https://{GATEWAY}:{CONTROLLER_PORT}"],
            "tls": {"ca": "ca.pem", "certificate": "gw.pem", "key": "gw.key"}, "health": {"listen": "127.0.0.1:9581"},
            "state": self.files.path("gw", "state")}))
        self._make_controller()
        self.files.write("ctl", "etc", "fleet.yaml", text=json.dumps(self.fleet()))  # JSON is YAML
        self.controller = Controller(self.gateway, self.files, programs())
        self.agent = Service(self.gateway, "agent", [os.path.join(programs(), "holdfast-agent"), "--config",
                                                     self.files.path("gw", "etc", "agent.yaml")], self.files.log("gw"))
        self.services = [self.controller.service, self.agent]
        self.controller.start()
        self.agent.start()

    def _make_controller(self):
        self.files.make_host("ctl", "controller", "ctl")
        self.files._certify("operator", "alice", self.files.path("ctl", "etc"))
        self.files.write("ctl", "etc", "controller.yaml", text=json.dumps({
            "listen": f"{GATEWAY}:{CONTROLLER_PORT}", "tls": {"ca": "ca.pem", "certificate": "ctl.pem", "key": "ctl.key"},
            "store": f"sqlite:{self.files.path('ctl', 'state', 'controller.db')}", "state": self.files.path("ctl", "state"),
            "run": "/run/controller", "fleet": "fleet.yaml", "operators": {"alice": "admin"}}))
        self.files.write("ctl", "etc", "client.yaml", text=json.dumps({
            "controller": f"https://{GATEWAY}:{CONTROLLER_PORT}", "tls": {"ca": "ca.pem", "certificate": "alice.pem", "key": "alice.key"}}))

    # ---- what there is ----

    def holders(self, prefix):
        """The peers whose allowed IPs have it, and the tunnel its route leads into, as the kernel and wg say."""
        names = {router.public: router.name for router in self.routers.values()}
        found = []
        for tunnel in PORTS:
            for line in self.gateway.run("wg", "show", tunnel, "allowed-ips", check=False).splitlines():
                key, *prefixes = line.split()
                found += [names[key]] if prefix in prefixes else []
        family = "-6" if ":" in prefix else "-4"
        route = self.gateway.run("ip", family, "-o", "route", "show", prefix, check=False).split()
        return found, route[route.index("dev") + 1] if "dev" in route else None

    def status(self, *options):
        """What `holdfast status` says on the gateway, of its agent alone."""
        return self.gateway.run(os.path.join(programs(), "holdfast"), "--controller", "unix:/run/holdfast/agent.sock",
                                "status", *options)

    def sessions(self, asked):
        """Who is connected, as `holdfast sessions` says, asking "controller" or "agent"."""
        said = self.controller.holdfast("sessions", "--json") if asked == "controller" else self.gateway.run(
            os.path.join(programs(), "holdfast"), "--controller", "unix:/run/holdfast/agent.sock", "sessions", "--json")
        return {session["peer"]: session for session in json.loads(said)["sessions"]}

    def explain(self, peer, address):
        return self.gateway.run(os.path.join(programs(), "holdfast"), "explain", peer, address, check=False)

    def shared(self):
        """What the agent says of the network."""
        shared = json.loads(self.status("--json")).get("shared_prefixes", [])
        return next((entry for entry in shared if entry["prefix"] == LAN), None)

    def noticed(self, text):
        """When the gateway last noticed that this had to move, as its log says: before it does anything about it. Wall-clock seconds."""
        now = time.time()
        with open(self.files.log("gw"), encoding="utf-8", errors="replace") as log:
            line = [line for line in log if " holder-moves " in line and text in line][-1]
        hours, minutes, seconds = line.split(None, 1)[0].split(":")
        day = time.localtime(now)
        at = time.mktime((day.tm_year, day.tm_mon, day.tm_mday, int(hours), int(minutes), 0, 0, 0, -1)) + float(seconds)
        return at if at <= now else at - 86400     # before midnight

    def events(self):
        """As the controller tells them."""
        return [event["text"] for event in self.controller.events() if event["event"] == "holder"]

    def stop(self):
        for service in reversed(self.services):
            status = service.stop()
            expect(status == 0, f"{service.name} ended with status {status}")
            service.check_log()

    def destroy(self):
        self.network.destroy()
        for service in self.services:
            service.forget()


@contextmanager
def running_place():
    with scratch_files() as files:
        place = Place(files)
        try:
            place.build()
            place.start()
            yield place
            place.stop()
        except (LabError, Missed):
            show_logs(files)
            raise
        finally:
            place.destroy()
