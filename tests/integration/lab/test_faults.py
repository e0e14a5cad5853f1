# SPDX-License-Identifier: GPL-2.0-or-later
"""Every fault of the lab three times, as soak.py does many times, with the same promises: two labs side by side, in each the faults that want
its kind, and at first a third, that does little but wait; pings as in soak.py. Of `isolation: fence` a power cut and a
cut from all but clients three times, the others once. About 200 s. Left out is the crowd of clients, which leaves no processor to another lab: test_clients."""
import os
import tempfile
from collections import Counter

import crowd
import figures
from labtest import expect, run
from results import Results
from soak import FAULTS, Labs

CYCLES, PLACES = 3, {"holdfast": 2, "quiet": 1}
# What a lab does, and how often; the longest first. At its third loss within a minute a gateway is held down, and is not failed back to.
SHARES = [(("agent-stop", "controller-then-owner", "agent-hang"), CYCLES),
          (("controller-kill", "agent-kill", "drain", "controller-cut"), CYCLES),
          (("power", "link", "gateway-cut"), CYCLES),
          (("fence-power", "fence-cut"), CYCLES),
          (("fence-failback", "fence-drain", "fence-agent-kill", "fence-controller-kill", "fence-reboot", "fence-link", "fence-agent-stop"), 1),
          (("one-box",), CYCLES),
          (("reboot",), CYCLES),
          (("failback",), CYCLES - 1),
          (("failback",), 1)]
LEFT_OUT = set(crowd.FAULTS)
WANTED = sum((Counter(dict.fromkeys(names, count)) for names, count in SHARES), Counter())


def side_by_side(results):
    """False if a lab broke."""
    labs = Labs(results, float("inf"), PLACES)
    try:
        for names, count in SHARES:
            while not (kind := labs.place(names[0], True)):
                labs.wait_one()
            labs.start(names, kind, count)
        while labs.wait_one():
            pass
    finally:
        labs.stop()
    return not labs.broken


def every_fault_is_as_promised():
    with tempfile.TemporaryDirectory(prefix="holdfast-test.") as scratch:
        results = Results(os.path.join(scratch, "results"))
        unbroken = side_by_side(results)
        held = figures.write(results.path)
        done = results.done()
    expect(unbroken, "a lab broke")
    expect(held, "a promise was missed")
    expect(WANTED.keys() == FAULTS.keys() - LEFT_OUT, f"no lab does {FAULTS.keys() - LEFT_OUT - WANTED.keys()}")
    expect(done == WANTED, f"not all of them as often as wanted: {done}")


run(every_fault_is_as_promised)
