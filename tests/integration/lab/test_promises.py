# SPDX-License-Identifier: GPL-2.0-or-later
"""How the demo judges a row: what is promised, and what this machine's own delay may excuse; and test_swarm.py many power cuts. Needs no lab;
milliseconds."""
from labtest import expect, run
from lab.cycle import Cycle
from lab.pings import Window
from lab.table import CROWDED, PROMISES, Promise, held, table
from swarm import all_together, late_by_chance

INTERVAL_MS = 10


def cycles(fault, *gaps):
    """One cycle for each (gap, timer delay within it), in milliseconds."""
    made = []
    for number, (gap_ms, late_ms) in enumerate(gaps):
        cycle = Cycle(fault, number)
        lost = [False] * round(gap_ms / INTERVAL_MS)
        cycle.lan = cycle.far = Window([True, *lost, True], (0.0, (gap_ms + INTERVAL_MS) / 1000), INTERVAL_MS)
        cycle.late_ms = late_ms
        made.append(cycle)
    return made


def judged(verdict, fault, *gaps):
    made = cycles(fault, *gaps)
    said = PROMISES[fault].verdict(made)
    expect(said == verdict, f"{fault} with {gaps} is judged {said!r}, not {verdict!r}")
    expect(held(made, PROMISES) == (verdict != "MISSED"), f"{fault} with {gaps}: held() says otherwise")


def a_power_cut():
    judged("ok", "power", (120, 0), (200, 0), (350, 0))
    judged("MISSED", "power", (120, 0), (150, 0), (352, 0))
    judged("MISSED", "power", (120, 0), (202, 0), (350, 0))


def a_crowd_may_take_longer():
    made = cycles("power", (500, 0), (500, 0), (1000, 0))
    expect(held(made, CROWDED) and not held(made, PROMISES), "half a second is held to the wrong promise")
    expect(not held(cycles("power", (500, 0), (500, 0), (1002, 0)), CROWDED), "a second and more is held to no promise")


def a_median_needs_three():
    judged("ok", "power", (300, 0), (340, 0))
    judged("MISSED", "power", (300, 0), (300, 0), (120, 0))


def a_delay_excuses_its_own_size():
    judged("noisy", "power", (120, 0), (150, 0), (400, 55))
    judged("MISSED", "power", (120, 0), (150, 0), (400, 45))
    judged("noisy", "power", (120, 0), (230, 40), (230, 30))
    judged("MISSED", "power", (120, 90), (230, 10), (230, 10))


def of_many_the_99th_percentile_counts():
    judged("MISSED", "power", *[(120, 0)] * 298, (400, 0))
    judged("ok", "power", *[(120, 0)] * 298, (400, 0), (340, 0))
    judged("MISSED", "power", *[(120, 0)] * 295, *[(400, 0)] * 5)


def a_hang_counts_from_its_beginning():
    for back_ms, late_ms, verdict in ((3340, 0, "ok"), (3360, 20, "noisy"), (3360, 5, "MISSED")):
        made = cycles("agent-hang", (300, late_ms))
        made[0].details["back_ms"] = back_ms
        said = PROMISES["agent-hang"].verdict(made)
        expect(said == verdict, f"back after {back_ms} ms is judged {said!r}, not {verdict!r}")


def the_table_says_what_is_promised():
    made = cycles("agent-hang", (300, 0))
    made[0].details["back_ms"] = 3300
    row = table(made, [], False, PROMISES).splitlines()[-1]
    expect(row.startswith(" agent hangs ") and row.endswith(" 3.35 s ok"), f"the demo's row is {row!r}")


def without_a_median_the_worst_counts():
    expect(Promise(worst_ms=800).verdict(cycles("power", (500, 0), (600, 0), (800, 0))) == "ok", "800 ms is too long")
    expect(Promise(worst_ms=800).verdict(cycles("power", (500, 0), (600, 0), (802, 0))) == "MISSED", "802 ms is not too long")


def a_lost_packet_is_never_excused():
    judged("ok", "drain", (0, 50), (0, 0))
    judged("MISSED", "drain", (0, 0), (20, 50))


def moved_home(fault, *losses):
    made = cycles(fault, *[(120, 0)] * len(losses))
    for cycle, lost in zip(made, losses):
        cycle.details.update(failback_ms=5.0 * lost, failback_lost=lost, failback_sent=80)
    return made


def a_move_home_loses_nothing_either():
    for fault in ("power", "link"):
        expect(held(moved_home(fault, 0, 0, 0), PROMISES), f"{fault}: nothing was lost, and it is missed")
        expect(not held(moved_home(fault, 0, 1, 0), PROMISES), f"{fault}: a ping that a move home has lost is held to no promise")
        expect(not held(moved_home(fault, 0, 0, 1), CROWDED), f"{fault}: nor in a crowd")
    for losses, said in (((0, 0), " moved back home         2        none     none       0 /    160  0 lost ok"),
                         ((0, 2), " moved back home         2        5 ms    10 ms       2 /    160  0 lost MISSED")):
        rows = table(moved_home("power", *losses), [], False, PROMISES).splitlines()
        expect(rows[-1] == said, f"the demo's row is {rows[-1]!r}")
    expect("moved back home" not in table(cycles("drain", (0, 0)), [], False, PROMISES), "a drain has no move home of its own")


def cuts(*lates):
    return [{"clients": 200, "late": late, "excused": 0 if late is None else 1} for late in lates]


def many_cuts_are_judged_together():
    """At 5 %: each of them may have two, but not all of them."""
    expect([late_by_chance(5, sessions) for sessions in (0, 200, 4000, 100_000)] == [0, 2, 4, 11], "another chance than was computed")
    for lates, wanted in (([2], True), ([3], False), ([1] * 4 + [0] * 16, True), ([1] * 5 + [0] * 15, False), ([2, None], True), ([None], True)):
        holds, said = all_together(cuts(*lates), 5)
        expect(holds == wanted, f"{lates} is judged {holds}: {said}")
        judged = [late for late in lates if late is not None]
        expect(f"{sum(judged)} of {200 * len(judged)} sessions" in said and f"{len(judged)} more came after a second" in said
               and f"{len(lates) - len(judged)} cuts are not judged" in said, f"of {lates} is said: {said}")


run(a_power_cut, a_crowd_may_take_longer, a_median_needs_three, a_delay_excuses_its_own_size, of_many_the_99th_percentile_counts,
    a_hang_counts_from_its_beginning, the_table_says_what_is_promised, without_a_median_the_worst_counts, a_lost_packet_is_never_excused,
    a_move_home_loses_nothing_either, many_cuts_are_judged_together)
