# SPDX-License-Identifier: GPL-2.0-or-later
"""A fleet of many gateways and peers: a controller, a few real agents in machines of their own, and talkers (tests/load) for the rest."""
import base64
import os
import re

from benchlab import LabError, programs, wait_for
from lab.controller import Controller
from lab.gateway import HoldfastGateway
from lab.network import CONTROLLER, MANAGEMENT, PLACES, Network
from lab.service import Service
from process import Process

POOL_MAX = 16         # gateways of one tunnel: more need two
SHARE_MAX = 50000     # peers of one tunnel: wireguard-go takes 65,536, the rest is refused as an invalid argument
_LARGE_B = 600        # larger than an answer to a report, or a commit; a stage is 2 KB
_TALKERS = "10.8.0.30"
_COUNTERS = """
table inet bench {{
  chain out {{
    type filter hook output priority 0;
    oifname "eth0" ip daddr {talkers} tcp sport 7443 counter comment "talkers"
    oifname "eth0" ip daddr != {talkers} tcp sport 7443 counter comment "agents"
    oifname "eth0" ip daddr {talkers} tcp sport 7443 meta length > {large} counter comment "talkers-large"
    oifname "eth0" ip daddr != {talkers} tcp sport 7443 meta length > {large} counter comment "agents-large"
  }}
}}
"""


def key(number):
    """A public key that nobody has the private one of; of one number always the same."""
    return base64.b64encode(number.to_bytes(4, "big") * 8).decode()


def tunnel(pool, share):
    """The tunnel of these gateways that has this share of the peers."""
    return f"wg{pool}" if share == 0 else f"wg{pool}-{share}"


class LoadScene:
    def __init__(self, files, agents, talkers):
        self.files, self.network = files, Network()
        self.agents = {name: None for name in list(PLACES)[:agents]}
        self._talkers, self._services = [f"talker-{n:02}" for n in range(talkers)], []
        self.controller = None

    def build(self):
        self.network.build()
        self.files.make_authority()
        self.files.make_controller()
        self.write_fleet(0)
        ctl = self.network.machines["ctl"]
        ctl.run("nft", "-f", "-", text=_COUNTERS.format(talkers=_TALKERS, large=_LARGE_B))
        self.controller = Controller(ctl, self.files, programs())
        self.controller.start()
        for name in self.agents:
            self.files.make_gateway(name)
            self.agents[name] = HoldfastGateway(self.network, name, self.files, programs())
            self.agents[name].power_on()
        self._start_talkers()
        wait_for("every gateway holds the fleet without peers", 60, lambda: self.in_force(1))

    def _start_talkers(self):
        program = os.path.join(os.path.dirname(programs()), "tests", "load", "holdfast-talker")
        machine = self.network.add("talkers")
        self.network.plug(machine, "eth0", MANAGEMENT)
        machine.ip(f"addr add {_TALKERS}/24 dev eth0")
        for name in self._talkers:
            self.files.make_host(name, "gateway", name)
            service = Service(machine, name, [program, name, f"https://{CONTROLLER}:7443", self.files.path(name, "etc")], self.files.log(name))
            service.start()
            self._services.append(service)

    def in_force(self, generation):
        """Every gateway is connected and holds it."""
        gateways = self.controller.status()["gateways"]
        return len(gateways) == len(self.names()) and all(g["connected"] and g["generation"] == generation for g in gateways)

    def names(self):
        return [*self.agents, *self._talkers]

    def write_fleet(self, peers, variant=0):
        """Every peer is in a tunnel of each pool, so on every gateway; `variant` is seen in the addresses of the last one."""
        text = ["fleet: load\ngateways:\n"]
        for number, name in enumerate(self.names()):
            address = PLACES[name].outer_address if name in PLACES else f"10.9.1.{number}"
            text.append(f"  {name}: {{ address: {address} }}\n")
        pools = [self.names()[at:at + POOL_MAX] for at in range(0, len(self.names()), POOL_MAX)]
        shares = max(1, -(-peers // SHARE_MAX))
        text.append("tunnels:\n")
        for pool, gateways in enumerate(pools):
            for share in range(shares):
                text.append(f"  {tunnel(pool, share)}: {{ private_key_file: wg0.key, public_key: \"{self.files.tunnel_public}\", "
                            f"address: [10.{64 + 4 * share}.0.1/14], listen_port: {51820 + pool * shares + share}, "
                            f"gateways: [{', '.join(gateways)}] }}\n")
        text.append("peers:\n" if peers else "")
        for number in range(peers):
            share, place = number // SHARE_MAX, number % SHARE_MAX + 256      # beside the tunnel's own address
            more = f", 10.{67 + 4 * share}.0.{variant}/32" if variant and number == peers - 1 else ""
            text.append(f"  p{number}: {{ public_key: \"{key(number)}\", "
                        f"allowed_ips: [10.{64 + 4 * share}.{place >> 8}.{place & 255}/32{more}], "
                        f"tunnels: [{', '.join(tunnel(pool, share) for pool in range(len(pools)))}] }}\n")
        self.files.write("ctl", "etc", "fleet.yaml", text="".join(text))

    def sent_bytes(self, large=False):
        """In IP packets, or in those that carry a stage (and the handshake of who connects anew), from the controller to the real agents and
        to the talkers."""
        listing = self.network.machines["ctl"].run("nft", "list", "table", "inet", "bench")
        counts = {name: int(count) for count, name in re.findall(r'bytes (\d+) comment "([a-z-]+)"', listing)}
        return {name: counts[f"{name}-large" if large else name] for name in ("agents", "talkers")}

    def peers_in_kernel(self, name):
        return len(re.findall(r"(?m)^\S+\t\S+$", self.agents[name].machine.run("wg", "show", "all", "peers")))

    def peaks_mib(self):
        """The most that the controller, an agent and a talker have had resident so far."""
        def peak(service):
            with open(f"/proc/{Process(service).pid}/status", encoding="utf-8") as file:
                return int(re.search(r"VmHWM:\s+(\d+)", file.read()).group(1)) / 1024
        return (peak(self.controller.service), max((peak(agent.agent) for agent in self.agents.values()), default=0),
                max(map(peak, self._services)) if self._services else 0)

    def stop(self):
        """Every program must end well."""
        for service in [*(agent.agent for agent in self.agents.values()), self.controller.service, *self._services]:
            if status := service.stop(60):
                raise LabError(f"{service.name} ended with status {status}")
            service.check_log()

    def destroy(self):
        self.network.destroy()
        for thing in [*filter(None, self.agents.values()), *self._services]:
            thing.forget()
