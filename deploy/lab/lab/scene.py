# SPDX-License-Identifier: GPL-2.0-or-later
"""A whole lab: the network, two gateways, what makes one of them serve, and a client that pings through it."""
import time

from . import network, wireguard
from .client import Client
from .controller import Controller
from .gateway import HoldfastGateway
from .network import Network
from .table import LEASE_MS
from .wait import wait_for

CLIENT_ADDRESS = "10.50.0.2"
GATEWAYS = ("gw-a", "gw-b")
HOME = "gw-a"      # serves at the start and after every cycle


class Scene:
    """What both kinds of lab share. `files` gives the tunnel's key, `interval_ms` is the ping's."""

    def __init__(self, files, interval_ms=10, outlives=False, client_kernel=False, changed=None):
        self.files, self.interval_ms, self._client_kernel = files, interval_ms, client_kernel
        self.network = Network(outlives, changed)
        self.gateways, self.client, self.pings = {}, None, None

    def build(self):
        """Everything up to a client that reaches both hosts."""
        self.network.build()
        self.client = self.new_client("client", 1, CLIENT_ADDRESS)
        self.start_gateways()
        self.client.connect()
        self.prove()
        self.pings = self.client.pinger(self.interval_ms)

    def new_client(self, name, index, address, translated=True, **options):
        """A client of the tunnel that is not connected yet, on a link of its own, behind the NAT or not."""
        return Client(self.network.add_client(name, index, translated), self.files.tunnel_public, address,
                      kernel=self._client_kernel, **options)

    def start_gateways(self):
        raise NotImplementedError

    def owner(self):
        """The gateway that serves, None while nobody knows."""
        raise NotImplementedError

    def prove(self):
        for address in (network.LAN_HOST, network.FAR_HOST):
            wait_for(f"the client reaches {address}", 20, lambda: self.client.reaches(address))

    def steady(self):
        """Whether the pings of the last third of a second were all answered, from both hosts."""
        end = time.time() - 0.1
        windows = [self.pings.window(end - 0.3, end, target) for target in range(2)]
        return all(window.sent and not window.lost for window in windows)

    def wait_steady(self, seconds=60, since=None):
        """Until what was sent since then, or since now, and for a third of a second at least, is answered."""
        since = time.time() if since is None else since
        wait_for("pings to both hosts are answered", seconds, lambda: time.time() > since + 0.4 and self.steady())

    def other(self, name):
        return next(gateway for gateway in self.gateways.values() if gateway.name != name)

    def implementation(self):
        gateway = next(iter(self.gateways.values()))
        return "kernel WireGuard" if wireguard.is_kernel(gateway.machine, "wg0") else "wireguard-go"

    def destroy(self):
        if self.pings:
            self.pings.stop()
        self.network.destroy()
        for gateway in self.gateways.values():
            gateway.forget()


class HoldfastScene(Scene):
    """Real agents, a real controller, the documented fleet file."""

    gateway_kind, operator_at, names, lease_ms = HoldfastGateway, "ctl", GATEWAYS, LEASE_MS

    def __init__(self, files, programs, peers=0, liveness=None, change=None, patience_s=30, **options):
        """`patience_s`: until all gateways are ready, for those that are slow."""
        super().__init__(files, **options)
        self._programs, self._peers, self._liveness, self._change, self._patience_s = programs, peers, liveness, change, patience_s
        self.controller = None

    def start_gateways(self):
        self.files.make_authority()
        self.files.make_controller()
        self.files.write_fleet(self.client.public, self._peers, self._liveness, self._change)
        self.controller = Controller(self.network.machines[self.operator_at], self.files, self._programs)
        self.controller.holdfast("validate", self.files.fleet)
        self.start_controller()
        for name in self.names:
            self.files.make_gateway(name)
            self.gateways[name] = self.new_gateway(name)
            self.gateways[name].power_on()
        self.controller.wait_ready(self.names, self._patience_s + self._peers / 100)
        self.go_home()

    def build(self):
        """A session that is a moment old is not known to the other gateway yet, and would be lost with the first."""
        super().build()
        wait_for("the client's session is known", 10, lambda: self.controller.view().get("sessions"))

    def start_controller(self):
        self.controller.start()

    def new_gateway(self, name):
        return self.gateway_kind(self.network, name, self.files, self._programs)

    def owner(self):
        return self.controller.owner()

    def go_home(self):
        """Back to the gateway that every cycle starts from."""
        self.controller.wait_ready(self.names)
        if self.owner() != HOME:
            self.controller.move(HOME)

    def stop(self):
        """Ends every daemon as an administrator would; each must end well and must have had nothing to complain of."""
        services = [*((gateway.name, gateway.agent) for gateway in self.gateways.values()), ("ctl", self.controller.service)]
        for host, service in services:
            status = service.stop()
            if status:
                raise LabError(f"{service.name} on {host} ended with status {status}")
            service.check_log()
