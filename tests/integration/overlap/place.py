# SPDX-License-Identifier: GPL-2.0-or-later
"""Two gateways and a network that several routers lead to, each gateway with tunnels of its own; stock WireGuard on all routers.

    gw  -+outer+- site-a (wg0, wg2) -+
         |     +- site-b (wg0, wg2) -+lan- host
    gw2 -+     +- region (wg0, wg2) -+
               +- hub    (wg1) ------+
               +- other  (wg0)

wg0 and wg1 are gw's, wg2 is gw2's. Each router translates what it sends into the network, so that answers come back by it.
"""
import json
import os
import sys
from contextlib import contextmanager

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lab"))
from labtest import LabError, Missed, expect, programs, scratch_files, show_logs, wait_for  # noqa: E402,F401: the path comes first
from routed import HOST, HOST6, LAN, LAN6, add_host, end_device, noticed, route_into, who_has  # noqa: E402,F401

from lab import wireguard           # noqa: E402
from lab.controller import Controller  # noqa: E402
from lab.files import Files         # noqa: E402
from lab.network import Network     # noqa: E402
from lab.service import Service     # noqa: E402

GATEWAYS = {"gw": "10.9.0.11", "gw2": "10.9.0.12"}
GATEWAY = GATEWAYS["gw"]
CONTROLLER_PORT = 7445      # the agent beside it has the usual one for liveness
PORTS = {"wg0": 51820, "wg1": 51821, "wg2": 51822}
NETS = {"wg0": "10.50.0", "wg1": "10.51.0", "wg2": "10.52.0"}
OF = {"wg0": "gw", "wg1": "gw", "wg2": "gw2"}


class Router:
    """A peer: `number` is in all its addresses."""

    def __init__(self, network, name, number, tunnels, gateway_keys):
        self.machine, self.name, self.number, self.tunnels = network.add(name), name, number, tunnels
        self.address = f"{NETS[tunnels[0]]}.{number}"
        self._gateway_keys, self._key = gateway_keys, wireguard.private_key()
        self.public = wireguard.public_key(self._key)
        network.plug(self.machine, "outer", "outer")
        self.machine.ip(f"addr add 10.9.0.{20 + number}/24 dev outer")

    def plug_into_lan(self, network):
        route_into(network, self.machine, "lan", self.number)

    def connect(self):
        """To the gateway of each of its tunnels, from one device."""
        wireguard.create(self.machine, "wg")
        peers = "".join(f"""
            [Peer]
            PublicKey = {self._gateway_keys[tunnel]}
            Endpoint = {GATEWAYS[OF[tunnel]]}:{PORTS[tunnel]}
            AllowedIPs = {", ".join(self._networks(tunnel))}
            PersistentKeepalive = 25
            """ for tunnel in self.tunnels)
        self.machine.run("wg", "setconf", "wg", "/dev/stdin", text=f"""
            [Interface]
            PrivateKey = {self._key}
            {peers}""")
        self.machine.ip(f"addr add {self.address}/32 dev wg", "link set wg mtu 1420 up",
                        *(f"route add {net} dev wg" for tunnel in self.tunnels for net in self._networks(tunnel)))

    @staticmethod
    def _networks(tunnel):
        """Those of all tunnels of its gateway."""
        return [net for each, gateway in OF.items() if gateway == OF[tunnel] for net in (f"{NETS[each]}.0/24", f"fd5{each[2]}::/64")]

    def die(self):
        end_device(self.machine, "wg")


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
        self.gateways = {name: self.network.add(name) for name in GATEWAYS}
        self.gateway = self.gateways["gw"]
        for name, machine in self.gateways.items():
            self.network.plug(machine, "outer", "outer")
            machine.ip(f"addr add {GATEWAYS[name]}/24 dev outer")
        add_host(self.network, "lan")
        public = {tunnel: wireguard.public_key(key) for tunnel, key in self.keys.items()}
        for name, number, *tunnels in (("site-a", 8, "wg0", "wg2"), ("site-b", 9, "wg0", "wg2"), ("region", 11, "wg0", "wg2"),
                                       ("hub", 10, "wg1"), ("other", 2, "wg0")):
            router = Router(self.network, name, number, tunnels, public)
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
            "fleet": "overlap", "defaults": {"liveness": "500ms"}, "gateways": {name: {"address": address} for name, address in GATEWAYS.items()},
            "tunnels": {tunnel: {"private_key_file": f"{tunnel}.key", "public_key": wireguard.public_key(self.keys[tunnel]),
                                 "address": [f"{NETS[tunnel]}.1/24", f"fd5{tunnel[2]}::1/64"], "listen_port": port, "gateways": [OF[tunnel]]}
                        for tunnel, port in PORTS.items()},
            "peers": {router.name: {"public_key": router.public, "tunnels": router.tunnels,
                                    "allowed_ips": [f"{router.address}/32", *allowed[router.name]]}
                      for router in self.routers.values()}}

    def start(self):
        """The daemons: an agent on each gateway, and the controller beside one of them."""
        self.files.make_authority()
        for name in GATEWAYS:
            self._make_gateway(name)
        self._make_controller()
        self.files.write("ctl", "etc", "fleet.yaml", text=json.dumps(self.fleet()))  # JSON is YAML
        self.controller = Controller(self.gateway, self.files, programs())
        agents = [Service(machine, "agent", [os.path.join(programs(), "holdfast-agent"), "--config",
                                             self.files.path(name, "etc", "agent.yaml")], self.files.log(name))
                  for name, machine in self.gateways.items()]
        self.services = [self.controller.service, *agents]
        self.controller.start()
        for agent in agents:
            agent.start()

    def _make_gateway(self, name):
        etc = self.files.make_host(name, "gateway", name)
        for tunnel, key in self.keys.items():
            if OF[tunnel] == name:
                wireguard.write_secret(os.path.join(etc, f"{tunnel}.key"), key)
        self.files.write(name, "etc", "agent.yaml", text=json.dumps({
            "gateway": name, "controllers": [f"https://{GATEWAY}:{CONTROLLER_PORT}"],
            "tls": {"ca": "ca.pem", "certificate": f"{name}.pem", "key": f"{name}.key"}, "health": {"listen": "127.0.0.1:9581"},
            "state": self.files.path(name, "state")}))

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

    def holders(self, gateway, prefix):
        """The gateway's peers whose allowed IPs have it, and the tunnel its route leads into, as the kernel and wg say."""
        names = {router.public: router.name for router in self.routers.values()}
        return who_has(self.gateways[gateway], [tunnel for tunnel, name in OF.items() if name == gateway], prefix, names)

    def status(self, *options, gateway="gw"):
        """What `holdfast status` says there, of its agent alone."""
        return self.gateways[gateway].run(os.path.join(programs(), "holdfast"), "--controller", "unix:/run/holdfast/agent.sock",
                                "status", *options)

    def sessions(self, asked):
        """Who is connected where, as `holdfast sessions` says, asking "controller" or "agent", which is the one on gw."""
        said = self.controller.holdfast("sessions", "--json") if asked == "controller" else self.gateway.run(
            os.path.join(programs(), "holdfast"), "--controller", "unix:/run/holdfast/agent.sock", "sessions", "--json")
        return {(session["peer"], session["gateway"], session["tunnel"]): session for session in json.loads(said)["sessions"]}

    def explain(self, peer, address):
        return self.gateway.run(os.path.join(programs(), "holdfast"), "explain", peer, address, check=False)

    def shared(self, gateway="gw"):
        """What the agent there says of the network."""
        shared = json.loads(self.status("--json", gateway=gateway)).get("shared_prefixes", [])
        return next((entry for entry in shared if entry["prefix"] == LAN), None)

    def noticed(self, gateway, text):
        return noticed(self.files.log(gateway), text)

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
