# SPDX-License-Identifier: GPL-2.0-or-later
"""Three gateways and two endpoints, whose lists begin with one gateway: its death brings them to different ones, and the death of one of
these brings both to the last, where that which was there already loses nothing. About 35 s."""
import os
import re
import time

from labtest import expect, run, running_scene, stood_still, wait_for
from lab import network, wireguard
from lab.client import Client
from lab.controller import Controller
from lab.pings import LAN
from lab.scene import HoldfastScene

WORST_MS = 350
BRANCH = {"name": "branch", "dial": "10.9.0.101", "dial6": "2001:db8::101", "inside": "192.168.1.5", "net": "10.51.0", "port": 51821}
ENDPOINT = """
  {name}: {{ gateways: [gw-a, gw-c, gw-b], tunnels: [wg1], dial: {{ interface: wan, addresses: [{dial}, "{dial6}"] }},
            inside: {{ interface: lan, address: {inside}/24 }} }}
"""
TUNNEL = """
  wg1: {{ private_key_file: wg1.key, public_key: "{key}", address: {net}.1/24, listen_port: {port},
         forward: {{ default: accept, snat: {{ from: {net}.0/24, interface: lan }} }} }}
"""


class PoolScene(HoldfastScene):
    """One more gateway, and a second endpoint with a tunnel and a client of its own."""

    names = ("gw-a", "gw-b", "gw-c")

    def __init__(self, files, programs, **options):
        super().__init__(files, programs, change=self.with_branch, **options)
        self.key = wireguard.private_key()
        self.other_client = self.branch = None

    def with_branch(self, text):
        place = network.PLACES["gw-c"]
        third = f'  gw-c: {{ address: [{place.outer_address}, "{place.outer_address6}"], interfaces: {{ wan: {place.wan}, lan: {place.lan} }} }}\n'
        text = text.replace("gateways: [gw-a, gw-b]", "gateways: [gw-a, gw-b, gw-c]")
        text = re.sub(r"(?m)^  alice: .*$", lambda line: line[0][:-1].rstrip() + ", tunnels: wg0 }", text)
        text = re.sub(r"(?m)^  bob: .*\n", "", text)
        text = text.replace("\nvirtual_endpoints:\n", third + "\nvirtual_endpoints:" + ENDPOINT.format(**BRANCH))
        text = text.replace("\ntunnels:\n", "\ntunnels:" + TUNNEL.format(key=wireguard.public_key(self.key), **BRANCH))
        return text + self.other_client.peer_line("carol").replace(" }", ", tunnels: wg1 }")

    def new_gateway(self, name):
        wireguard.write_secret(os.path.join(self.files.path(name, "etc"), "wg1.key"), self.key)
        return super().new_gateway(name)

    def start_gateways(self):
        self.other_client = Client(self.network.add_client("carol", 2), wireguard.public_key(self.key), BRANCH["net"] + ".2",
                                   dial=BRANCH["dial"], port=BRANCH["port"])
        super().start_gateways()
        self.branch = Controller(self.network.machines[self.operator_at], self.files, self._programs, endpoint=BRANCH["name"])

    def build(self):
        super().build()
        self.other_client.connect()
        wait_for("the other client reaches the LAN", 20, lambda: self.other_client.reaches(network.LAN_HOST))

    def ready(self, names):
        """Until both are at rest, and what lives could take over what it does not have, with its session."""
        for endpoint in (self.controller, self.branch):
            endpoint.wait_ready(names)
            wait_for(f"the session of {endpoint.endpoint} is known", 10, lambda of=endpoint: of.view().get("sessions"))


def window_since(pinger, began):
    end = time.time()
    pinger.settle(end)
    return pinger.window(began, end, LAN)


def dies(scene, name, owners, pingers):
    """A gateway loses power, and the endpoints go where they shall."""
    stalls, began = stood_still(scene), time.time()
    scene.gateways[name].power_off()
    for endpoint, owner in owners.items():
        endpoint.wait_owner(owner)
    for what, pinger in pingers.items():
        wait_for(f"the client of {what} is served again", 20, lambda of=pinger: of.answered_since(began + 0.5) > 20)
    for what, pinger in pingers.items():
        window = window_since(pinger, began)
        late_ms = pinger.waited_ms(*window.outage)
        print(f"{name} died: {what} has a gap of {window.outage_ms:.0f} ms, programs waited {late_ms:.0f} ms")
        expect(stood_still(scene) > stalls or window.outage_ms <= WORST_MS + late_ms, f"{what}: a gap of {window.outage_ms:.0f} ms")


def endpoints_spread():
    with running_scene(kind=PoolScene) as scene:
        vpn, branch = scene.controller, scene.branch
        pinger = scene.other_client.pinger(scene.interval_ms)
        try:
            scene.ready(scene.names)
            expect(vpn.owner() == branch.owner() == "gw-a", "both begin at the first of their lists")
            dies(scene, "gw-a", {vpn: "gw-b", branch: "gw-c"}, {"vpn": scene.pings, "branch": pinger})
            scene.ready(("gw-b", "gw-c"))
            began = time.time()
            dies(scene, "gw-b", {vpn: "gw-c", branch: "gw-c"}, {"vpn": scene.pings})
            window = window_since(pinger, began)
            expect(not window.lost, f"branch lost {window.lost} of {window.sent} pings while vpn came to its gateway, the first "
                   f"{(window.first_lost or 0) * scene.interval_ms} ms after the power cut")
        finally:
            pinger.stop()
        for name in ("gw-a", "gw-b"):
            scene.gateways[name].power_on()
        scene.ready(scene.names)


run(endpoints_spread)
