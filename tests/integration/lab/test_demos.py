# SPDX-License-Identifier: GPL-2.0-or-later
"""The demo's faults, three times each, in two demos side by side: all promises hold, and neither leaves anything. About 75 s."""
import glob
import os
import subprocess
import tempfile

from labtest import DEMO, expect, programs, run

CYCLES = "3"
SHARES = (("power", "agent-kill", "agent-hang"), ("link", "controller-kill", "drain"))


def start(faults, environment):
    chosen = [word for fault in faults for word in ("--fault", fault)]
    return subprocess.Popen([DEMO, "--no-install", "--cycles", CYCLES, *chosen], env=environment, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def side_by_side():
    with tempfile.TemporaryDirectory(prefix="holdfast-test.") as scratch:
        environment = {**os.environ, "HOLDFAST_BIN": programs(), "TMPDIR": scratch}
        demos = [start(faults, environment) for faults in SHARES]
        outputs = [demo.communicate()[0] for demo in demos]
        for demo, output in zip(demos, outputs):
            print(output)
            expect(demo.returncode == 0, f"a demo ended with {demo.returncode}")
        left = glob.glob(os.path.join(scratch, "*"))
        expect(not left, f"left behind: {left}")


run(side_by_side)
