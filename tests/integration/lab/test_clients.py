# SPDX-License-Identifier: GPL-2.0-or-later
"""The owner loses power under clients of every kind at once, three times: each is back by the new owner's doing, TCP goes on, and how
long each missed is printed. Then the endpoint is moved away and back under them: none of them loses anything. About 41 s."""
import statistics
import time

from crowd import IDLE, TRANSFERS, CrowdScene, clients, moves
from labtest import STILL_MS, expect, run, running_scene, stood_still

MEDIAN_MS, WORST_MS, TIMES = 200, 350, 3
SENT_AT_LEAST = 25      # of each kind, in a second of its traffic


def every_kind_is_back():
    with running_scene(kind=CrowdScene) as scene:
        for number in range(1, TIMES + 1):
            stalls = stood_still(scene)
            judge([*clients(scene, number)], stood_still(scene) > stalls)
        nobody_loses_anything(scene)


def judge(cycles, stalled):
    print(*(f"{cycle.details['part']}: missed {cycle.gap_ms:.0f} ms, programs waited {cycle.late_ms:.1f}" for cycle in cycles), sep="\n")
    promised = [cycle for cycle in cycles if cycle.details["part"] not in TRANSFERS]
    median_ms = statistics.median(cycle.gap_ms for cycle in promised)
    late_ms = max(cycle.late_ms for cycle in promised if cycle.details["part"] not in IDLE)
    print(f"median {median_ms:.0f} ms, programs waited {late_ms:.1f} for their turns")
    if stalled:
        print("not judged, this machine stood still")
        return
    for cycle in promised:
        expect(cycle.gap_ms <= WORST_MS + cycle.late_ms, f"{cycle.details['part']} missed more than {WORST_MS} ms")
    expect(median_ms <= MEDIAN_MS + late_ms, f"half of the clients missed more than {MEDIAN_MS} ms")


def nobody_loses_anything(scene):
    """By planned moves; of TCP how long it stood still is printed."""
    stalls, began = stood_still(scene), time.time()
    cycles = [*moves(scene, 1)]
    stalled = stood_still(scene) > stalls or max(scene.pings.late_ms(began, time.time()), default=0) > STILL_MS
    for cycle in cycles:
        what = f"moved {cycle.details['way']}, {cycle.details['part']}"
        if cycle.details["part"] in TRANSFERS:
            print(f"{what}: the longest wait was {cycle.gap_ms:.0f} ms")
            continue
        print(f"{what}: {cycle.lost} of {cycle.sent} lost")
        expect(cycle.sent >= SENT_AT_LEAST, f"{what}: only {cycle.sent} were sent")
        expect(stalled or not cycle.lost, f"{what}: {cycle.lost} of {cycle.sent} lost, {cycle.gap_ms:.0f} ms without an answer")
    if stalled:
        print("of the moves no loss is judged, this machine stood still")


run(every_kind_is_back)
