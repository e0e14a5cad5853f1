# SPDX-License-Identifier: GPL-2.0-or-later
"""What the lab calls a lost ping: one without an answer, not one that the lab has not read of yet. No network; about 3 s."""
import subprocess
import sys
import time
from contextlib import contextmanager

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


def a_pinger_that_ended_is_not_waited_for():
    with pinging() as pinger:
        pass
    try:
        pinger.settle(time.time())
    except LabError:
        return
    expect(False, "nobody pings, and the pings have settled")


run(what_is_read_late_is_waited_for, what_has_no_answer_is_lost, a_pinger_that_ended_is_not_waited_for)
