# SPDX-License-Identifier: GPL-2.0-or-later
"""The same lab with what one would build without Holdfast: keepalived (adverts every 0.1 s) moves the addresses, wg-quick makes the tunnel."""
from . import network, wireguard
from .cycle import Cycle, watched
from .gateway import Gateway
from .scene import CLIENT_ADDRESS, GATEWAYS, HOME, Scene
from .wait import wait_for

_KEEPALIVED = """
global_defs {{
    router_id {name}
    vrrp_version 3
}}
vrrp_sync_group vpn {{
    group {{
        outer
        inside
    }}
}}
vrrp_instance outer {{
    state BACKUP
    nopreempt
    interface {place.wan}
    virtual_router_id 51
    priority {priority}
    advert_int 0.1
    virtual_ipaddress {{
        {dial}/32 dev {place.wan}
    }}
}}
vrrp_instance inside {{
    state BACKUP
    nopreempt
    interface {place.lan}
    virtual_router_id 52
    priority {priority}
    advert_int 0.1
    virtual_ipaddress {{
        {inside}/24 dev {place.lan}
    }}
    virtual_routes {{
        {far} via {far_router} dev {place.lan}
    }}
}}
"""

_WG_QUICK = """
[Interface]
PrivateKey = {private}
ListenPort = {port}
Address = 10.50.0.1/24
[Peer]
PublicKey = {client}
AllowedIPs = {address}/32
"""


class BaselineGateway(Gateway):
    def __init__(self, net, name, files, client_key):
        super().__init__(net, name)
        self._files, self._client_key, self._keepalived = files, client_key, None

    def start(self):
        tunnel = self._files.path(self.name, "wg0.conf")
        wireguard.write_secret(tunnel, _WG_QUICK.format(private=self._files.tunnel_key, port=network.PORT,
                                                        client=self._client_key, address=CLIENT_ADDRESS))
        self.machine.sysctl(net__ipv4__ip_forward=1)
        self.machine.run("wg-quick", "up", tunnel)
        self._start_keepalived()

    def _start_keepalived(self):
        config = self._files.path(self.name, "keepalived.conf")
        self._files.write(self.name, "keepalived.conf", text=_KEEPALIVED.format(
            name=self.name, place=self.place, priority=150 if self.name == HOME else 100, dial=network.DIAL,
            inside=network.INSIDE, far=network.FAR_NET, far_router=network.FAR_ROUTER))
        # A new life begins a new log: what an earlier one said last is not its state.
        with open(self._files.log(f"{self.name}-keepalived"), "wb") as log:
            self._keepalived = self.machine.spawn("keepalived", "--vrrp", "--dont-fork", "--log-console", "-f", config,
                                                  stdout=log, stderr=log)
        wait_for(f"{self.name}: keepalived stands by", 20, self.state)

    def state(self):
        """MASTER, BACKUP or FAULT, as keepalived said last."""
        with open(self._files.log(f"{self.name}-keepalived"), encoding="utf-8", errors="replace") as log:
            words = [line.split() for line in log if "STATE" in line and "(inside)" in line]
        return words[-1][words[-1].index("STATE") - 1] if words else None

    def forget(self):
        if self._keepalived:
            self._keepalived.wait()
            self._keepalived = None


class BaselineScene(Scene):
    def start_gateways(self):
        for name in GATEWAYS:
            self.files.make_plain_host(name)
            self.gateways[name] = BaselineGateway(self.network, name, self.files, self.client.public)
            self.gateways[name].power_on()
            wait_for(f"{HOME} is keepalived's master", 20, lambda: self.owner() == HOME)

    def stop(self):
        """Nothing here is ours to judge: it ends with its machines."""

    def owner(self):
        return next((g.name for g in self.gateways.values() if g.machine and g.state() == "MASTER"), None)


def power(scene, number):
    """keepalived does not move back by itself (nopreempt), so the owner of the moment is the one to fail."""
    cycle, gateway = Cycle("power", number), scene.gateways[scene.owner()]
    with watched(scene, cycle):
        gateway.power_off()
    gateway.power_on()
    yield cycle


def link(scene, number):
    cycle, gateway = Cycle("link", number), scene.gateways[scene.owner()]
    with watched(scene, cycle):
        gateway.outer_link(False)
    gateway.outer_link(True)
    wait_for(f"{gateway.name} stands by again", 20, lambda: gateway.state() == "BACKUP")
    yield cycle


FAULTS = {"power": power, "link": link}
