# SPDX-License-Identifier: GPL-2.0-or-later
"""A fifth of all packets is lost on every cable of the gateways and the controller, each way: nothing moves. A minute, beside other
tests; `test_loss.py SECONDS` for longer. How close it came is printed."""
import re
import sys
import time

from labtest import expect, run, running_scene
from lab.scene import GATEWAYS, HOME

SECONDS = int(sys.argv[1]) if len(sys.argv) > 1 else 60
LOSS_PERCENT, PATIENCE_MS = 20, 158 - 110      # of silence that a verdict takes, what is left after the suspicion
_VERDICT = re.compile(r'^(\d\d):(\d\d):(\d\d\.\d+) \w+ +verdict what="(\S+) is (.+)"$', re.MULTILINE)


def lose(scene):
    """In the switches, so that the machines know nothing of it."""
    scene.network.machines["fabric"].run("nft", "-f", "-", text=f"""
        table bridge loss {{
          chain forward {{
            type filter hook forward priority 0;
            numgen random mod 100 < {LOSS_PERCENT} drop
          }}
        }}""")


def heal(scene):
    scene.network.machines["fabric"].run("nft", "delete", "table", "bridge", "loss")


class Verdicts:
    """What the controller and the agents think of the gateways, from here on, by their logs."""

    def __init__(self, scene):
        self._paths = [scene.files.log(name) for name in ("ctl", *GATEWAYS)]
        self._sizes = [len(_read(path)) for path in self._paths]

    def of(self, observer):
        """(when in ms, gateway, verdict)"""
        text = _read(self._paths[observer])[self._sizes[observer]:]
        return [((int(h) * 3600 + int(m) * 60 + float(s)) * 1000, who, what) for h, m, s, who, what in _VERDICT.findall(text)]

    def found(self):
        return sorted({what for observer in range(len(self._paths)) for _, _, what in self.of(observer)})

    def suspicions_ms(self):
        """How long each took until the gateway was heard again."""
        lasted = []
        for observer in range(len(self._paths)):
            since = {}
            for when, who, what in self.of(observer):
                if what == "suspect":
                    since[who] = when
                elif who in since:
                    lasted.append(when - since.pop(who))
        return lasted


def _read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def nothing_moves():
    with running_scene() as scene:
        verdicts, last = Verdicts(scene), scene.controller.last_event()
        lose(scene)
        time.sleep(SECONDS)      # the stretch that is judged
        heal(scene)
        suspicions = verdicts.suspicions_ms()
        print(f"{SECONDS} s at {LOSS_PERCENT} % loss: {len(suspicions)} suspicions, the longest lasted {max(suspicions, default=0):.0f} ms; "
              f"a verdict takes {PATIENCE_MS}; said: {', '.join(verdicts.found()) or 'nothing'}")
        lossy = scene.pings.window(time.time() - SECONDS, time.time() - 2)
        expect(lossy.lost > lossy.sent * LOSS_PERCENT / 100, f"only {lossy.lost} of {lossy.sent} pings were lost: there was no such loss")
        moves = [event for event in scene.controller.events(last) if event["event"] in ("takeover", "move")]
        expect(not moves, f"it moved: {moves}")
        expect(scene.owner() == HOME, f"{scene.owner()} owns the endpoint")
        expect("dead" not in verdicts.found(), "a gateway was taken for dead")
        scene.wait_steady()


run(nothing_moves)
