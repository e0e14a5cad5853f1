# SPDX-License-Identifier: GPL-2.0-or-later
"""A network behind two routers that dial a virtual endpoint, whose owner decides which of them has it. IPv4 is probed by a host of the network,
IPv6 by an address of each router.

The endpoint is moved while one client is gone; site-a is killed; the owner is killed while it is dead; the killed gateway comes back; site-a comes back. The other gateway always has it as the
owner has, so that it is right at once when it takes over. A client of the endpoint pings the host all the time. Printed and judged are how long
it took to notice, by what the probe needs for that, and how long the host was out of reach. About 32 s.
"""
import json
import os
import re
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lab"))
from labtest import LabError, Missed, expect, programs, running_scene, stood_still, wait_for  # noqa: E402: the path comes first
from routed import DETECTION_MS, HOST, HOST6, LAN, LAN6, MOVE_MS, add_host, end_device, noticed, route_into, who_has  # noqa: E402

from lab import network             # noqa: E402
from lab.pings import Pinger        # noqa: E402
from lab.scene import HoldfastScene  # noqa: E402

SITE = "site"                       # the switch of the network
INTERVAL_MS, KEEPALIVE_S = 20, 25
PULL_S = 1.5                        # node-agent/core/seat: less than a client that is gone is waited for
TAKEOVER_MS = 350                   # lab/test_pool: of a client that dialled the endpoint; with a router that is dead it would be seconds
NUMBERS = {"site-a": 8, "site-b": 9}


class SiteScene(HoldfastScene):
    """Two routers of a site as clients, and one that wants to reach the site."""

    def __init__(self, files, programs_at, **options):
        super().__init__(files, programs_at, change=self.with_site, **options)
        self.routers, self.visitor, self.visits, self.gone = {}, None, None, None

    def start_gateways(self):
        self.network.machines["fabric"].ip(f"link add {SITE} type bridge", f"link set {SITE} up")
        add_host(self.network, SITE)
        for name, number in NUMBERS.items():
            router = self.new_client(name, number, f"10.50.0.{number}", address6=f"fd50::{number}", keepalive_s=KEEPALIVE_S)
            route_into(self.network, router.machine, SITE, number)
            self.routers[name] = router
        self.visitor = self.new_client("visitor", 2, "10.50.0.7", address6="fd50::7", beyond=(LAN, LAN6))
        self.gone = self.new_client("gone", 3, "10.50.0.6")
        super().start_gateways()

    def with_site(self, text):
        """site-a is preferred."""
        text = re.sub(r"(?m)^  bob: .*\n", "", text) + self.visitor.peer_line("visitor") + self.gone.peer_line("gone")
        for (name, router), priority, probe in zip(self.routers.items(), (200, 100), (HOST, self.routers["site-b"].address)):
            shared = (f'{{ prefix: {LAN}, priority: {priority}, probe: {probe} }}, '
                      f'{{ prefix: "{LAN6}", priority: {priority}, probe: "{router.address6}" }} ]')
            text += router.peer_line(name).replace("] }", f", {shared} }}")
        return text

    def has(self, gateway, prefix):
        names = {router.public: name for name, router in self.routers.items()}
        return who_has(self.gateways[gateway].machine, ["wg0"], prefix, names)

    def wait_has(self, gateway, name):
        for prefix in (LAN, LAN6):
            wait_for(f"{name} has {prefix} on {gateway}", 30, lambda: self.has(gateway, prefix) == ([name], "wg0"))

    def candidates(self, gateway):
        """By what its agent says of the network: whether each lives; nothing while it does not answer."""
        status = self.gateways[gateway].machine.run(os.path.join(programs(), "holdfast"), "--controller", "unix:/run/holdfast/agent.sock",
                                                    "status", "--json", check=False)
        return {(entry["prefix"], candidate["peer"]): candidate["lives"]
                for entry in json.loads(status or "{}").get("shared_prefixes", []) for candidate in entry["candidates"]}

    def lives(self, gateway, name):
        return self._each_is(gateway, name, True)

    def is_dead(self, gateway, name):
        return self._each_is(gateway, name, False)

    def _each_is(self, gateway, name, alive):
        candidates = self.candidates(gateway)
        return all(candidates.get((prefix, name)) is alive for prefix in (LAN, LAN6))

    def moves(self):
        """What the controller has heard of them, in the order it happened."""
        return [re.search(r"peer (\S+) of wg0 has (\S+):", event["text"]).groups() for event in self.controller.events()
                if event["event"] == "holder"]

    def destroy(self):
        try:
            if self.visits:
                self.visits.stop()
        finally:
            super().destroy()


def out_of_reach(scene, what, began):
    """Since then, when all is well again: the window of the pings, and how long programs waited for their turns in the time without answers."""
    answered = time.time()
    wait_for(f"the host answers when {what}", 30, lambda: scene.visits.answered_since(answered) > 10)
    wait_for(f"the host answers over IPv6 when {what}", 20, lambda: scene.visitor.reaches(HOST6))
    end = time.time()
    scene.visits.settle(end)
    window = scene.visits.window(began, end)
    late_ms = scene.visits.waited_ms(*window.outage)
    print(f"{what}: the host was out of reach for {window.outage_ms:.0f} ms, {window.lost} of {window.sent} pings lost, programs waited "
          f"{late_ms:.0f} ms for their turns", flush=True)
    return window, late_ms


def moved_while_one_is_gone(scene, target):
    """For which the move waits: what the routers answer the owner comes to the next one already, and they live."""
    scene.gone.machine.links_down()
    stalls, began = stood_still(scene), time.time()
    scene.controller.move(target)
    expect(time.time() - began > PULL_S, "it moved at once: nobody was waited for")
    window, _ = out_of_reach(scene, "the endpoint is moved", began)
    expect(stood_still(scene) > stalls or not window.lost, f"{window.lost} pings lost in a planned move")
    expect(not scene.moves(), f"both routers live, and it went {scene.moves()}")


def router_dies(scene, owner, other):
    """He was alive at the last answer, so what is counted from there is a ping's interval too much; of what is timed the last question may be
    late, and its time-out."""
    began = time.time()
    end_device(scene.routers["site-a"].machine, "wg0")
    scene.wait_has(owner, "site-b")
    scene.wait_has(other, "site-b")
    print(f"{other} has it as {owner} has: {(time.time() - began) * 1000:.0f} ms after site-a was killed", flush=True)
    window, late_ms = out_of_reach(scene, "site-a is killed", began)
    at = noticed(scene.files.log(owner), f"peer site-b of wg0 has {LAN}: site-a does not answer the probe of {HOST}")
    noticed_ms, moved_ms = (at - window.outage[0]) * 1000 - INTERVAL_MS, (window.outage[1] - at) * 1000
    print(f"  noticed after {noticed_ms:.0f} ms (at most {DETECTION_MS}), the host answered {moved_ms:.0f} ms later (at most {MOVE_MS})",
          flush=True)
    expect(window.lost > 10, "the host was never out of reach: site-a was not in its way")
    expect(noticed_ms <= DETECTION_MS + 2 * late_ms, f"site-a's end was noticed after {noticed_ms:.0f} ms, at most are {DETECTION_MS}")
    expect(moved_ms <= MOVE_MS + INTERVAL_MS + late_ms, f"the host answered {moved_ms:.0f} ms later, promised are {MOVE_MS}")
    for gateway in (owner, other):
        wait_for(f"{gateway} knows that site-a is dead", 10, lambda: scene.is_dead(gateway, "site-a"))
        expect(scene.lives(gateway, "site-b"), f"{gateway} takes site-b for dead: {scene.candidates(gateway)}")


def owner_dies(scene, owner, other):
    scene.controller.wait_ready([owner, other])
    stalls, began = stood_still(scene), time.time()
    scene.gateways[owner].power_off()
    scene.controller.wait_owner(other)
    window, late_ms = out_of_reach(scene, f"{owner} is killed while site-a is dead", began)
    expect(stood_still(scene) > stalls or window.outage_ms <= TAKEOVER_MS + late_ms,
           f"{other} serves, and the host was out of reach for {window.outage_ms:.0f} ms")
    scene.wait_has(other, "site-b")
    scene.gateways[owner].power_on()
    scene.controller.wait_ready([owner, other])
    scene.wait_has(owner, "site-b")     # though nothing that it knows itself speaks against site-a


def router_returns(scene, owner, other):
    began = time.time()
    scene.routers["site-a"].connect()
    scene.wait_has(owner, "site-a")
    window, late_ms = out_of_reach(scene, "site-a is back", began)
    expect(window.outage_ms <= MOVE_MS + late_ms, f"out of reach for {window.outage_ms:.0f} ms on the way back")
    scene.wait_has(other, "site-a")


def run_story(scene):
    owner = scene.owner()
    other = scene.other(owner).name
    for router in scene.routers.values():
        router.connect()
    scene.visitor.connect()
    scene.gone.connect()
    wait_for("the one that is to go reaches the LAN", 10, lambda: scene.gone.reaches(network.LAN_HOST))
    scene.visits = Pinger(scene.visitor.machine, [HOST], INTERVAL_MS)
    wait_for("all sessions are known", 30, lambda: scene.controller.view().get("sessions") == 5)
    for gateway in (owner, other):
        wait_for(f"both routers live on {gateway}", 30, lambda: scene.lives(gateway, "site-a") and scene.lives(gateway, "site-b"))
        scene.wait_has(gateway, "site-a")
    out_of_reach(scene, "all live", time.time())
    moved_while_one_is_gone(scene, other)
    owner, other = other, owner
    for gateway in (owner, other):
        scene.wait_has(gateway, "site-a")
    router_dies(scene, owner, other)
    owner_dies(scene, owner, other)
    router_returns(scene, other, owner)
    told = [("site-b", LAN), ("site-b", LAN6), ("site-a", LAN), ("site-a", LAN6)]
    wait_for("all is told", 10, lambda: len(scene.moves()) >= len(told))
    moves = scene.moves()
    expect(sorted(moves[:2]) == sorted(told[:2]) and sorted(moves[2:]) == sorted(told[2:]), f"it went to and fro: {moves}")


def main():
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    try:
        with running_scene(kind=SiteScene) as scene:
            run_story(scene)
    except (LabError, Missed) as failure:
        print(f"FAILED: {failure}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
