# SPDX-License-Identifier: GPL-2.0-or-later
"""One machine on which holdfast works: what it says, and whether it leaves the machine as it was."""
import re
import time

from compare import HOLDFAST, UPLINK, Host, diff, key, normalise, public

PRIVATE, ONE, TWO, THREE = key(), public(key()), public(key()), public(key())
INTERFACE = f"[Interface]\nPrivateKey = {PRIVATE}\nAddress = 10.50.0.2/24, fd50::2/64\n"
FULL = f"\n[Peer]\nPublicKey = {ONE}\nAllowedIPs = 0.0.0.0/0, ::/0\nEndpoint = 192.0.2.1:51820\n"


class Machine(Host):
    """A host with an uplink, on which holdfast works."""

    def __init__(self, **options):
        super().__init__(**options)
        self.must(UPLINK)
        self.fresh = self.state()

    def state(self):
        """All but the files and the transcript; with src_valid_mark, and what holdfast keeps."""
        text = self.snapshot()
        marks = re.findall(r"src_valid_mark = \d", text)
        kept = self.must("find /run/holdfast -type f 2>/dev/null || true")
        left = normalise(text).partition("== transcript")[0].splitlines(True)
        # Kernel WireGuard turns redirects off for good when its first device goes up.
        return "".join(line for line in left if "conf/all/send_redirects" not in line) + "\n".join(marks) + "\n" + kept

    def holdfast(self, verb, name="wg0", *options, env=None):
        status, out, self.said = self.call(HOLDFAST, verb, *options, name, env=env)
        assert "AddressSanitizer" not in self.said and "runtime error" not in self.said, self.said
        self.out = out
        return status

    def up(self, text=None, name="wg0"):
        if text is not None:
            self.write(f"/etc/wireguard/{name}.conf", text)
        status = self.holdfast("up", name)
        assert status == 0, self.said

    def down(self, name="wg0"):
        status = self.holdfast("down", name)
        assert status == 0, self.said

    def clean(self, what):
        differences = diff(self.fresh, self.state())
        assert not differences, what + "\n" + "\n".join(differences) + "\n" + self.said

    def transcript(self):
        return self.read("/run/transcript")

    def until(self, what, condition, seconds=20):
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "never: " + what
            time.sleep(0.01)

    def pid_of(self, pattern):
        return self.must(f"ps -e -o pid=,args= | grep -v -e grep -e defunct | grep -E '{pattern}' | head -1").split()[0]


def steps(machine):
    """What the last command did."""
    return [line for line in machine.said.splitlines() if line.startswith("[#]")]
