# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients of every kind at once, each with the traffic of its kind, and what is measured under them: the owner loses power; the endpoint is
moved away and back."""
import subprocess
import time

from labtest import change_fleet, expect, wait_for
from transfers import PLAIN, TRANSLATED, Transfers, be_strict
from lab import network
from lab.cycle import LEAD, Cycle, watched
from lab.faults import fail_back, takeover
from lab.pings import FAR, LAN, Pinger, Window
from lab.scene import GATEWAYS, HOME, HoldfastScene
from lab.streams import Stream
from lab.table import Promise

INTERVAL_MS, PORT = 20, 9000      # all of them together are to leave this machine time of its own
# Name, number of the link, and what is special. The lab's own client is the third behind the NAT.
KINDS = [("behind-nat", 2, {}), ("another-behind-nat", 3, {}), ("without-nat", 4, {"translated": False}),
         ("over-ipv6", 5, {"dial": network.DIAL6}), ("idle-keepalive", 6, {"keepalive_s": 25}), ("idle", 7, {}),
         ("sends-only", 8, {}), ("receives-only", 9, {})]
OWN = "third-behind-nat"
PINGING = ("behind-nat", "another-behind-nat", "without-nat", "over-ipv6")
IDLE = ("idle-keepalive", "idle")
TRANSFERS = {"tcp-plain": PLAIN, "tcp-translated": TRANSLATED}
PARTS = (OWN, *PINGING, *IDLE, "sends-only", "receives-only", *TRANSFERS)


class Question:
    """Who asks the idle clients, from the LAN, and nobody until it may: what they answered would tell an owner where they are."""

    def __init__(self, machine, addresses):
        self._machine, self._addresses = machine, addresses
        self._routes = machine.spawn("ip", "-batch", "-", stdin=subprocess.PIPE, text=True)      # runs already when it is in a hurry
        self.asked = None
        self.forbid()
        self.pinger = Pinger(machine, addresses, INTERVAL_MS, turns=False)
        wait_for("somebody would ask the idle", 10, lambda: self.pinger.window(0, time.time(), len(addresses) - 1).sent)

    def forbid(self):
        self._say("route replace blackhole")

    def allow(self):
        self._say("route del blackhole")
        self.asked = time.time()

    def _say(self, what):
        self._routes.stdin.write("".join(f"{what} {address}/32\n" for address in self._addresses))
        self._routes.stdin.flush()

    def wait_allowed(self):
        """When it is certain that what is asked is sent."""
        wait_for("the idle may be asked", 10, lambda: "blackhole" not in self._machine.run("ip", "route", "show"))
        return time.time()

    def answered(self, since):
        return all(self.pinger.answered_since(since, target) for target in range(len(self._addresses)))

    def stop(self):
        self.pinger.stop()
        self._routes.stdin.close()
        self._routes.wait()


class Crowd:
    """All clients, connected."""

    def __init__(self, scene):
        self._scene, self._streams = scene, {}
        self._clients = {name: scene.new_client(name, index, f"10.50.0.{60 + index}", **options) for name, index, options in KINDS}
        for gateway in scene.gateways.values():
            be_strict(gateway)
        self._connect()
        self.pingers = {name: Pinger(self._clients[name].machine, [network.LAN_HOST], INTERVAL_MS, turns=False) for name in PINGING}
        lan = scene.network.machines["lan"]
        self._stream("sends-only", lambda client: (client.machine, lan, network.LAN_HOST))
        self._stream("receives-only", lambda client: (lan, client.machine, client.address))
        self._question = Question(lan, [self._clients[name].address for name in IDLE])
        self.transfers = Transfers(scene)

    def _connect(self):
        change_fleet(self._scene, lambda text: text + "".join(client.peer_line(name) for name, client in self._clients.items()))
        for name, client in self._clients.items():
            client.connect()
            wait_for(f"{name} reaches the LAN", 10, lambda c=client: c.reaches(network.LAN_HOST))
        wait_for("all sessions are known", 10, lambda: self._scene.controller.view().get("sessions") == len(KINDS) + 1)

    def _stream(self, name, ends):
        self._streams[name] = Stream(*ends(self._clients[name]), PORT, INTERVAL_MS)
        wait_for(f"{name}: it arrives", 10, lambda: self._streams[name].arrived() > 50)

    def wait_flowing(self):
        """Until the traffic of each that has some flows."""
        def flows():
            return (all(pinger.answered_since(time.time() - 0.1) for pinger in self.pingers.values())
                    and all(stream.flows(time.time() - 0.1) for stream in self._streams.values()))
        wait_for("everybody's traffic flows again", 30, flows)

    def ask_the_idle(self):
        self._question.allow()

    def wait_asking(self):
        return self._question.wait_allowed()

    def wait_asked(self, since):
        wait_for("the idle answer", 30, lambda: self._question.answered(since))

    def leave_the_idle(self):
        self._question.forbid()

    def windows(self, began, end):
        """What became of each one's traffic around a power cut; the idle, who had none, are without their gateway from the cut on."""
        idle = self.windows_of_the_idle(began, end)
        return {**self.windows_of_the_busy(began, end), **{name: _from_the_cut_on(window) for name, window in idle.items()}}

    def windows_of_the_idle(self, asked, end):
        return {name: self._question.pinger.window(asked, end, target) for target, name in enumerate(IDLE)}

    def windows_of_the_busy(self, began, end):
        """Of TCP there is its longest wait alone."""
        begin = began - LEAD
        own = max((self._scene.pings.window(begin, end, target) for target in (LAN, FAR)), key=lambda window: (window.lost, window.outage_ms))
        pinging = {OWN: own, **{name: pinger.window(begin, end) for name, pinger in self.pingers.items()}}
        worst_ms = self.transfers.worst_ms()
        return {**pinging, **{name: stream.window(begin, end) for name, stream in self._streams.items()},
                **{name: Window([], (begin, begin + worst_ms[which] / 1000), 0) for name, which in TRANSFERS.items()}}

    def settle(self, end):
        for pinger in (self._scene.pings, *self.pingers.values(), self._question.pinger):
            pinger.settle(end)
        wait_for("it is read what arrived", 10, lambda: all(stream.flows(end) for stream in self._streams.values()))

    def late_ms(self, part, began, outage):
        """How long programs waited for their turns, by whatever pinger saw most of it; that which asks the idle from the cut on, too."""
        waited = max(pinger.waited_ms(*outage) for pinger in (self._scene.pings, *self.pingers.values()))
        return max(waited, (self._question.asked - began) * 1000) if part in IDLE else waited

    def stop(self):
        for traffic in (*self.pingers.values(), *self._streams.values(), self._question, self.transfers):
            traffic.stop()


class CrowdScene(HoldfastScene):
    """A lab with a crowd."""

    crowd = None

    def build(self):
        super().build()
        self.crowd = Crowd(self)

    def destroy(self):
        try:
            if self.crowd:
                self.crowd.stop()
        finally:
            super().destroy()


def _from_the_cut_on(window):
    return Window(window.answered, window.outage, 0)


def clients(scene, number):
    """A power cut; a cycle for each kind of client."""
    whole, gateway, crowd = Cycle("clients", number), scene.gateways[HOME], scene.crowd
    last = scene.controller.last_event()
    crowd.transfers.wait_mirrored()
    with takeover(scene, whole):
        whole.began = gateway.machine.links_down()
        crowd.ask_the_idle()
        gateway.power_off()
        crowd.transfers.mark()
        crowd.wait_flowing()
        crowd.wait_asked(whole.began)
    crowd.transfers.wait_going("go on after a power cut")
    end = time.time()
    crowd.settle(end)
    windows = crowd.windows(whole.began, end)
    crowd.leave_the_idle()
    _all_are_back(scene, last, scene.other(HOME).name)
    gateway.power_on()
    be_strict(gateway)
    fail_back(scene, whole)
    for part, window in windows.items():
        yield _part(whole, crowd, part, window)


def _all_are_back(scene, last, owner):
    """By the new owner's doing, not by their own timers'."""
    takeover_event = scene.controller.wait_event(last, "takeover", owner)
    expect(takeover_event["back"] == takeover_event["sessions"] == len(KINDS) + 1,
           f"{takeover_event['back']} of {takeover_event['sessions']} sessions are back, of {len(KINDS) + 1} clients")


def _part(whole, crowd, part, window):
    cycle = Cycle(whole.fault, whole.number)
    cycle.lan = cycle.far = window
    cycle.began, cycle.owner, cycle.late_ms = whole.began, whole.owner, crowd.late_ms(part, whole.began, window.outage)
    cycle.details = {**whole.details, "part": part}
    return cycle


def moves(scene, number):
    """The endpoint is moved on purpose, and back; a cycle for each kind of client and way."""
    for way, to in (("away", scene.other(HOME).name), ("back", HOME)):
        yield from _move(scene, Cycle("client-moves", number), way, to)


def _move(scene, whole, way, to):
    crowd = scene.crowd
    scene.controller.wait_ready(GATEWAYS)
    crowd.transfers.wait_mirrored()
    last = scene.controller.last_event()
    with watched(scene, whole):
        whole.began = time.time()
        scene.controller.move(to)
        crowd.ask_the_idle()      # who has their sessions now has to know of them, though they said nothing
        asked = crowd.wait_asking()
        crowd.transfers.mark()
        crowd.wait_flowing()
        crowd.wait_asked(asked)
    crowd.transfers.wait_going(f"go on after the move {way}")
    end = time.time()
    crowd.settle(end)
    windows = {**crowd.windows_of_the_busy(whole.began, end), **crowd.windows_of_the_idle(asked, end)}
    crowd.leave_the_idle()
    _all_are_back(scene, last, to)
    whole.details["way"] = way
    for part, window in windows.items():
        yield _part(whole, crowd, part, window)


FAULTS = {"clients": (CrowdScene, clients), "client-moves": (CrowdScene, moves)}
PROMISES = {f"{fault}/{part}": None if part in TRANSFERS else promise
            for fault, promise in (("clients", Promise(200, 350)), ("client-moves", Promise(lossless=True))) for part in PARTS}
