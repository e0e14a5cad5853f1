# SPDX-License-Identifier: GPL-2.0-or-later
"""The demo from its first line to its last, with 1,000 more peers: the owner loses power, what is promised is held, and nothing is left. About 20 s."""
import glob
import os
import subprocess
import tempfile

from labtest import DEMO, expect, programs, run


def a_whole_demo():
    with tempfile.TemporaryDirectory(prefix="holdfast-test.") as scratch:
        demo = subprocess.run([DEMO, "--no-install", "--fault", "power", "--cycles", "1", "--peers", "1000"],
                              env={**os.environ, "HOLDFAST_BIN": programs(), "TMPDIR": scratch}, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        print(demo.stdout)
        left = glob.glob(os.path.join(scratch, "*"))
    expect(demo.returncode == 0, f"the demo ended with {demo.returncode}")
    expect(not left, f"left behind: {left}")


run(a_whole_demo)
