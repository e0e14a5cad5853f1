# SPDX-License-Identifier: GPL-2.0-or-later
"""Two demos side by side: both hold their promises, and neither leaves anything."""
import glob
import os
import subprocess
import tempfile

from labtest import DEMO, expect, programs, run


def side_by_side():
    with tempfile.TemporaryDirectory(prefix="holdfast-test.") as scratch:
        environment = {**os.environ, "HOLDFAST_BIN": programs(), "TMPDIR": scratch}
        demos = [subprocess.Popen([DEMO, "--no-install", "--fault", "power", "--fault", "agent-kill", "--cycles", "1"],
                                  env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
                 for _ in range(2)]
        outputs = [demo.communicate()[0] for demo in demos]
        for demo, output in zip(demos, outputs):
            expect(demo.returncode == 0, f"a demo ended with {demo.returncode}:\n{output}")
        left = glob.glob(os.path.join(scratch, "*"))
        expect(not left, f"left behind: {left}")


run(side_by_side)
