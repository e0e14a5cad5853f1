# SPDX-License-Identifier: GPL-2.0-or-later
"""One fault and what the client saw of it."""
import time
from contextlib import contextmanager

from .pings import FAR, LAN

LEAD, TAIL = 0.3, 1.0      # seconds of undisturbed pings before, to have something to lose, and after
BUSY = 0.5      # seconds at the end of a gap: what is before only waits until a lease is over


class Cycle:
    """What is measured of one fault: the pings to the host in the LAN and to the one behind it, what the cluster says, and
    how late this machine's own timers were during the gap."""

    def __init__(self, fault, number):
        self.fault, self.number = fault, number
        self.lan = self.far = self.owner = None
        self.began = None      # when the fault happened
        self.late_ms = 0.0
        self.details = {}

    @property
    def worse(self):
        """The pings to the host that was worse off."""
        return max(self.lan, self.far, key=lambda window: (window.lost, window.outage_ms))

    @property
    def lost(self):
        return self.worse.lost

    @property
    def sent(self):
        return self.worse.sent

    @property
    def gap_ms(self):
        return max(self.lan.outage_ms, self.far.outage_ms)

    @property
    def back(self):
        """When the longest gap ended, in wall-clock seconds."""
        return max(self.lan, self.far, key=lambda window: window.outage_ms).outage[1]

    def row(self):
        """The cycle in the JSON file."""
        return {"fault": self.fault, "cycle": self.number, "outage_ms": round(self.lan.outage_ms, 1), "sent": self.lan.sent,
                "lost": self.lan.lost, **self.details, "far_outage_ms": round(self.far.outage_ms, 1), "far_sent": self.far.sent,
                "far_lost": self.far.lost, "late_ms": round(self.late_ms, 2), "owner": self.owner}


@contextmanager
def watched(scene, cycle):
    """Measures the pings around what happens inside; the block ends when traffic should be whole again."""
    scene.wait_steady(since=0)
    begin = time.time()
    _pings_for(scene, begin, LEAD)
    yield
    scene.wait_steady()
    _pings_for(scene, time.time(), TAIL)
    end = time.time()
    scene.pings.settle(end)
    _measure(scene, cycle, begin, end)


def _pings_for(scene, since, seconds):
    """The stated stretch of undisturbed pings; watching is all there is to do meanwhile."""
    scene.pings.settle(since + seconds, patience=0)


def _measure(scene, cycle, begin, end):
    cycle.lan, cycle.far = (scene.pings.window(begin, end, target) for target in (LAN, FAR))
    cycle.late_ms = _late_in_gap(scene, max(cycle.lan, cycle.far, key=lambda window: window.outage_ms))
    cycle.owner = scene.owner()


def _late_in_gap(scene, window):
    """This machine's own delays while the gap lasted. One before or after it has made nothing longer."""
    begin, end = window.outage
    return scene.pings.waited_ms(max(begin, end - BUSY), end)
