# SPDX-License-Identifier: GPL-2.0-or-later
"""A network behind two routers of one tunnel, a region of that tunnel with what is around it, and a hub of another tunnel with all that is
around that: whoever lives has it, on each of two gateways.

site-a is killed, then site-b, then the region, and all come back; the gateways ping a host of the network all the time, and one another
peer, which must not notice. Printed and judged are how long it took to notice, by what the probe needs for that, and how long the host
was out of reach from then on.
"""
import json
import os
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from place import HOST, LAN, LAN6, OF, Missed, expect, running_place, wait_for  # noqa: E402: the path comes first

from lab.pings import Pinger        # noqa: E402
from routed import DETECTION_MS, MOVE_MS  # noqa: E402

INTERVAL_MS = 20
THE_HOST, THE_OTHER = 0, 1


class View:
    """The network as one gateway has it."""

    def __init__(self, place, gateway, *more):
        self._place, self.gateway = place, gateway
        self.pinger = Pinger(place.gateways[gateway], [HOST, *more], INTERVAL_MS)

    def has(self, name, tunnel, began, why):
        """This peer has both networks; since the beginning, for how long the host was out of reach, and how long programs waited for
        their turns meanwhile."""
        for prefix in (LAN, LAN6):
            wait_for(f"{name} has {prefix} on {self.gateway}", 30, lambda: self._place.holders(self.gateway, prefix) == ([name], tunnel))
        answered = time.time()
        wait_for("the host answers", 30, lambda: self.pinger.answered_since(answered, THE_HOST) > 10)
        end = time.time()
        self.pinger.settle(end)
        window = self.pinger.window(began, end, THE_HOST)
        late_ms = self.pinger.waited_ms(*window.outage)
        print(f"{self.gateway}, {why}: {name} of {tunnel} after {window.outage_ms:.0f} ms, {window.lost} pings of {window.sent} lost, "
              f"programs waited {late_ms:.0f} ms for their turns", flush=True)
        return window, late_ms

    def moved(self, name, tunnel, killed, began):
        """It has both networks since this one, who had them, was killed: noticed in time, and moved at once. He was alive at the last answer, so
        what is counted from there is a ping's interval too much; of what is timed the last question may be late, and its time-out."""
        window, late_ms = self.has(name, tunnel, began, f"{killed} is killed")
        at = self._place.noticed(self.gateway, f"peer {name} of {tunnel} has {LAN}: {killed} does not answer the probe of ")
        noticed_ms, moved_ms = ((at - window.outage[0]) * 1000 - INTERVAL_MS, (window.outage[1] - at) * 1000)
        print(f"  noticed after {noticed_ms:.0f} ms (at most {DETECTION_MS}), the host answered {moved_ms:.0f} ms later (at most {MOVE_MS})",
              flush=True)
        expect(window.lost > 10, f"the host was never out of reach: {killed} was not in its way")
        expect(noticed_ms <= DETECTION_MS + 2 * late_ms, f"{killed}'s end was noticed after {noticed_ms:.0f} ms, at most are {DETECTION_MS}")
        expect(moved_ms <= MOVE_MS + INTERVAL_MS + late_ms,
               f"the host answered {moved_ms:.0f} ms after {killed}'s end was noticed, promised are {MOVE_MS}")

    def back(self, name, tunnel, began):
        window, late_ms = self.has(name, tunnel, began, "all are back")
        expect(window.outage_ms <= MOVE_MS + late_ms, f"out of reach for {window.outage_ms:.0f} ms on the way back")

    def expect_undisturbed(self, began, target):
        end = time.time()
        self.pinger.settle(end)
        window = self.pinger.window(began, end, target)
        expect(window.sent > 100 and window.lost == 0, f"the other peer lost {window.lost} pings of {window.sent}")


def do(action):
    began = time.time()
    action()
    return began


def is_settled(entry):
    return entry and entry["peer"] == "site-a" and all(candidate["lives"] for candidate in entry["candidates"])


def tell(place):
    """What people see of it."""
    entry = place.shared()
    expect((entry["peer"], entry["tunnel"]) == ("hub", "wg1"), f"the status says {entry}")
    states = {candidate["peer"]: candidate["state"] for candidate in entry["candidates"]}
    expect(list(states) == ["site-a", "site-b", "region", "hub"], f"candidates: {states}")
    expect(HOST in states["site-a"] and "does not answer the probe of 10.50.0.9" in states["site-b"], f"states: {states}")
    expect(f"{LAN}: hub of wg1 (site-a: " in place.status(), place.status())
    for peer in "hub", "site-a":
        told = place.explain(peer, HOST)
        expect("of those who share it the first that lives has it: site-a of wg0, priority 200: " in told
               and f"site-b of wg0, priority 100: does not answer the probe of 10.50.0.9" in told
               and "region of wg0, priority " in told and "hub of wg1, priority " in told, f"explain {peer}: {told}")
    expect(json.loads(place.status("--json"))["repairs"] == 0, "what was moved was taken for somebody else's doing")
    for text in (f"peer site-b of wg0 has {LAN}: site-a does not answer the probe of {HOST}",
                 f"peer region of wg0 has {LAN}: site-b does not answer the probe of 10.50.0.9",
                 f"peer hub of wg1 has {LAN}: region does not answer the probe of 10.50.0.11"):
        wait_for(f"the event '{text}'", 30, lambda: any(text in event for event in place.events()))


def expect_sessions(place):
    """Tunnels in no endpoint have some, too."""
    for asked, gateways in (("controller", place.gateways), ("agent", ["gw"])):
        wanted = {(router.name, OF[tunnel], tunnel) for router in place.routers.values() for tunnel in router.tunnels if OF[tunnel] in gateways}
        wait_for(f"the {asked} tells of all sessions", 30, lambda: set(place.sessions(asked)) == wanted)
        for (name, *_), session in place.sessions(asked).items():
            expect("virtual_endpoint" not in session and session["endpoint"].startswith(f"10.9.0.{20 + place.routers[name].number}:")
                   and session["age_ms"] < 180000 and session["rx_bytes"] > 0, f"the {asked} tells {session}")


def run_story(place):
    for router in place.routers.values():
        router.connect()
    near, far = View(place, "gw", place.routers["other"].address), View(place, "gw2")
    try:
        wait_for("all routers live, and site-a has it", 60, lambda: all(is_settled(place.shared(gateway)) for gateway in place.gateways))
        for view, target in ((near, THE_HOST), (near, THE_OTHER), (far, THE_HOST)):
            wait_for("all answer", 30, lambda: view.pinger.answered_since(time.time() - 1, target) > 10)
        expect_sessions(place)
        begin = time.time()
        near.has("site-a", "wg0", begin, "preferred")
        far.has("site-a", "wg2", begin, "preferred")
        for killed, name in (("site-a", "site-b"), ("site-b", "region")):       # beside it, and around it in the same tunnel
            began = do(place.routers[killed].die)
            near.moved(name, "wg0", killed, began)
            far.moved(name, "wg2", killed, began)
        near.moved("hub", "wg1", "region", do(place.routers["region"].die))     # around it in another tunnel, which gw2 has not
        expect(place.holders("gw2", LAN) == (["region"], "wg2"), "where none lives something has moved")
        tell(place)
        began = do(lambda: [place.routers[name].connect() for name in ("site-a", "site-b", "region")])
        near.back("site-a", "wg0", began)
        far.has("site-a", "wg2", began, "all are back")
        near.expect_undisturbed(begin, THE_OTHER)
    finally:
        near.pinger.stop()
        far.pinger.stop()


def main():
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    try:
        with running_place() as place:
            run_story(place)
    except Missed as missed:
        print(f"FAILED: {missed}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
