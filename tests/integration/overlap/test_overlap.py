# SPDX-License-Identifier: GPL-2.0-or-later
"""A network behind two routers of one tunnel, a region of that tunnel with what is around it, and a hub of another tunnel with all that is
around that: whoever lives has it.

site-a is killed, then site-b, then the region, and all come back; the gateway pings a host of the network all the time, and another peer,
which must not notice. Printed and judged are how long it took to notice, by what the probe needs for that, and how long the host was
out of reach from then on.
"""
import json
import os
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from place import HOST, LAN, LAN6, Missed, expect, running_place, wait_for  # noqa: E402: the path comes first

from lab.pings import Pinger        # noqa: E402

INTERVAL_MS = 20
DETECTION_MS = 500 + 3 * 500        # node-agent/core/holder: at worst an interval, and three time-outs
MOVE_MS = 100                       # from then to the first answer
THE_HOST, THE_OTHER = 0, 1


class Story:
    def __init__(self, place, pinger):
        self._place, self._pinger = place, pinger
        self._began = time.time()

    def has(self, name, tunnel, why, action=None):
        """After the action this peer has both networks; for how long the host was out of reach, and the longest that a program waited for its
        turn meanwhile."""
        began = time.time()
        if action:
            action()
        for prefix in (LAN, LAN6):
            wait_for(f"{name} has {prefix}", 30, lambda: self._place.holders(prefix) == ([name], tunnel))
        answered = time.time()
        wait_for("the host answers", 30, lambda: self._pinger.answered_since(answered, THE_HOST) > 10)
        end = time.time()
        self._pinger.settle(end)
        window = self._pinger.window(began, end, THE_HOST)
        late_ms = self._pinger.worst_wait_ms(*window.outage)
        print(f"{why}: {name} after {window.outage_ms:.0f} ms, {window.lost} pings of {window.sent} lost, a program waited {late_ms:.0f} ms for "
              "its turn", flush=True)
        return window, late_ms

    def moves(self, name, tunnel, killed):
        """It has both networks when this one, who had them, is killed: noticed in time, and moved at once. He was alive at the last answer, so
        what is counted from there is a ping's interval too much; of what is timed the last question may be late, and its time-out."""
        window, late_ms = self.has(name, tunnel, f"{killed} is killed", self._place.routers[killed].die)
        at = self._place.noticed(f"peer {name} of {tunnel} has {LAN}: {killed} does not answer the probe of ")
        noticed_ms, moved_ms = ((at - window.outage[0]) * 1000 - INTERVAL_MS, (window.outage[1] - at) * 1000)
        print(f"  noticed after {noticed_ms:.0f} ms (at most {DETECTION_MS}), the host answered {moved_ms:.0f} ms later (at most {MOVE_MS})",
              flush=True)
        expect(window.lost > 10, f"the host was never out of reach: {killed} was not in its way")
        expect(noticed_ms <= DETECTION_MS + 2 * late_ms, f"{killed}'s end was noticed after {noticed_ms:.0f} ms, at most are {DETECTION_MS}")
        expect(moved_ms <= MOVE_MS + INTERVAL_MS + late_ms,
               f"the host answered {moved_ms:.0f} ms after {killed}'s end was noticed, promised are {MOVE_MS}")

    def expect_other_undisturbed(self):
        end = time.time()
        self._pinger.settle(end)
        window = self._pinger.window(self._began, end, THE_OTHER)
        expect(window.sent > 100 and window.lost == 0, f"the other peer lost {window.lost} pings of {window.sent}")


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
    for asked in "controller", "agent":
        wait_for(f"the {asked} tells of all sessions", 30, lambda: set(place.sessions(asked)) == set(place.routers))
        for name, session in place.sessions(asked).items():
            router = place.routers[name]
            expect((session["gateway"], session["tunnel"]) == ("gw", router.tunnel) and "virtual_endpoint" not in session
                   and session["endpoint"].startswith(f"10.9.0.{20 + router.number}:") and session["age_ms"] < 180000
                   and session["rx_bytes"] > 0, f"the {asked} tells {session}")


def run_story(place):
    for router in place.routers.values():
        router.connect()
    pinger = Pinger(place.gateway, [HOST, place.routers["other"].address], INTERVAL_MS)
    try:
        wait_for("all routers live, and site-a has it", 60, lambda: is_settled(place.shared()))
        for target in (THE_HOST, THE_OTHER):
            wait_for("both answer", 30, lambda: pinger.answered_since(time.time() - 1, target) > 10)
        expect_sessions(place)
        story = Story(place, pinger)
        story.has("site-a", "wg0", "preferred")
        story.moves("site-b", "wg0", "site-a")
        story.moves("region", "wg0", "site-b")      # nested, in one tunnel
        story.moves("hub", "wg1", "region")         # nested, across tunnels
        tell(place)

        def revive():
            for name in ("site-a", "site-b", "region"):
                place.routers[name].connect()
        back, late_ms = story.has("site-a", "wg0", "all are back", revive)
        expect(back.outage_ms <= MOVE_MS + late_ms, f"out of reach for {back.outage_ms:.0f} ms on the way back")
        story.expect_other_undisturbed()
    finally:
        pinger.stop()


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
