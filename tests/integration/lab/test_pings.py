# SPDX-License-Identifier: GPL-2.0-or-later
"""What the lab calls a lost ping: one without an answer, not one that the lab has not read of yet. No network; about 3 s."""
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress

from labtest import LabError, expect, run, wait_for
from lab.pings import Pinger

INTERVAL_MS, READ_LATE_MS = 5, 200

# As lab/ping.py tells it, each ping answered after 2 ms, but for the one named; every line is written READ_LATE_MS after it happened.
PINGS = f"""
import os, select, sys, time
unanswered, interval, late, told, seq = int(sys.argv[1]), {INTERVAL_MS}_000_000, {READ_LATE_MS}_000_000, [], 0
began, wall = time.monotonic_ns(), time.time_ns()
while not select.select([0], [], [], 0.001)[0]:
    now = time.monotonic_ns()
    while began + seq * interval <= now:
        sent = seq * interval
        told.append((sent, f"s 0 {{seq}} {{wall + sent}} 0\\n"))
        if seq != unanswered:
            told.append((sent + 2_000_000, f"r 0 {{seq}} {{wall + sent + 2_000_000}}\\n"))
        seq += 1
    told.sort()
    while told and began + told[0][0] + late <= now:
        os.write(1, told.pop(0)[1].encode())
"""


class Here:
    """A machine that runs this program instead of the one that pings."""

    def __init__(self, unanswered):
        self._unanswered = str(unanswered)

    def spawn(self, *_, **options):
        return subprocess.Popen([sys.executable, "-c", PINGS, self._unanswered], **options)


@contextmanager
def pinging(unanswered=-1):
    pinger = Pinger(Here(unanswered), ["anywhere"], INTERVAL_MS)
    try:
        wait_for("the first line is read", 20, lambda: pinger.window(0, time.time()).sent)
        time.sleep(READ_LATE_MS / 1000)      # of pings, for a window that is full of them
        yield pinger
    finally:
        pinger.stop()


def what_is_read_late_is_waited_for():
    with pinging() as pinger:
        end = time.time()
        pinger.settle(end)
        window = pinger.window(end - READ_LATE_MS / 1000, end)
        expect(abs(window.sent - READ_LATE_MS / INTERVAL_MS) <= 1, f"{window.sent} pings were read of")
        expect(not window.lost, f"{window.lost} of {window.sent} answered pings count as lost")


def what_has_no_answer_is_lost():
    unanswered = 10
    with pinging(unanswered) as pinger:
        end = time.time()
        pinger.settle(end, patience=0.1)
        window = pinger.window(0, end)
        expect(window.lost == 1 and window.first_lost == unanswered, f"{window.lost} lost, the first {window.first_lost}")


class Told:
    """A machine whose pinger tells of pings at made-up times, from second 1000 on, and then of nothing more."""

    def __init__(self, count, unanswered, waits=()):
        """`waits`: (of what priority, which ping was sent when it was over, for how many ms)."""
        self._lines = "".join(f"s 0 {seq} {self.when(seq)} 0\n" + ("" if seq == unanswered else f"r 0 {seq} {self.when(seq)}\n") +
                              "".join(f"w {priority} 0 {self.when(seq)} {ms * 1_000_000}\n" for priority, when, ms in waits if when == seq)
                              for seq in range(count))

    @staticmethod
    def when(seq):
        return 1_000_000_000_000 + seq * INTERVAL_MS * 1_000_000

    def spawn(self, *_, **options):
        return subprocess.Popen([sys.executable, "-c", f"import sys; print({self._lines!r}, end='', flush=True); sys.stdin.read()"], **options)


def settles(pinger, end, patience, within_s=0.5):
    """Whether it does with what was told."""
    def settle():
        with suppress(LabError):      # in the end it is stopped
            pinger.settle(end, patience)
    waiting = threading.Thread(target=settle, daemon=True)
    waiting.start()
    waiting.join(within_s)
    return not waiting.is_alive()


def no_ping_is_waited_for_longer_than_its_patience():
    pinger = Pinger(Told(count=101, unanswered=50), ["anywhere"], INTERVAL_MS)
    try:
        wait_for("all is read", 20, lambda: pinger.window(0, 2000).sent == 101)
        end = 1000 + 90 * INTERVAL_MS / 1000
        expect(settles(pinger, end, 0.2, 20), "the lost ping was sent 0.25 s before the last, and is waited for")
        expect(not settles(pinger, end, 0.3), "the lost ping may be answered yet, and is not waited for")
        expect(not settles(pinger, end + 0.1, 0.2), "more pings are to come before the end")
    finally:
        pinger.stop()


def waits_count_where_they_were():
    waits = ((0, 5, 90), (0, 30, 20), (10, 32, 30), (0, 44, 40), (0, 70, 30))
    pinger = Pinger(Told(count=101, unanswered=50, waits=waits), ["anywhere"], INTERVAL_MS)
    try:
        wait_for("all is read", 20, lambda: pinger.window(0, 2000).sent == 101)
        for first, last, expected in ((20, 31, 25), (20, 40, 40), (20, 41, 45), (20, 60, 60), (71, 80, 0)):
            found = pinger.waited_ms(*(1000 + seq * INTERVAL_MS / 1000 for seq in (first, last)))
            expect(abs(found - expected) < 0.01, f"from {first} to {last} they waited {found} ms, not {expected}")
    finally:
        pinger.stop()


def a_pinger_that_ended_is_not_waited_for():
    with pinging() as pinger:
        pass
    try:
        pinger.settle(time.time())
    except LabError:
        return
    expect(False, "nobody pings, and the pings have settled")


run(what_is_read_late_is_waited_for, what_has_no_answer_is_lost, no_ping_is_waited_for_longer_than_its_patience,
    waits_count_where_they_were, a_pinger_that_ended_is_not_waited_for)
