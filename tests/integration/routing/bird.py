# SPDX-License-Identifier: GPL-2.0-or-later
"""BIRD on a router: OSPF (version 3) carries the site's IPv4 network through the tunnel, Babel its IPv6 network.

BIRD 2 takes every point-to-point interface for one that takes multicast, whatever the interface says: where they shall not
meet it is the firewall that stops them.
"""
import re
import subprocess

from sites import expect, wait_for

_CONFIGURATION = """
log stderr all;
router id 10.255.0.{number};
protocol device {{ scan time 1; }}
protocol direct {{ ipv4; ipv6; interface "lan"; }}
protocol kernel {{ ipv4 {{ export filter {{ if source = RTS_OSPF then accept; reject; }}; }}; }}
protocol kernel {{ ipv6 {{ export filter {{ if source = RTS_BABEL then accept; reject; }}; }}; }}
protocol ospf v3 ospf1 {{
  ipv4 {{ import all; export none; }};
  area 0 {{
    interface "{tunnel}" {{ type ptp; hello 1; dead 4; retransmit 2; }};
    interface "lan" {{ stub; }};
  }};
}}
protocol babel babel1 {{
  ipv6 {{ import all; export where source = RTS_DEVICE; }};
  interface "{tunnel}" {{ type wired; hello interval 250 ms; update interval 1 s; }};
}}
"""


class Bird:
    def __init__(self, machine, site, files):
        self._machine, self._site = machine, site
        files.write(site.router, "etc", "bird.conf", text=_CONFIGURATION.format(number=site.number, tunnel=site.tunnel))
        self._log = files.log(f"bird{site.number}")
        with open(self._log, "ab") as log:
            self._process = machine.spawn("bird", "-f", "-c", files.path(site.router, "etc", "bird.conf"), "-s", "/run/bird.ctl",
                                          "-P", "/run/bird.pid", stdout=log, stderr=log)
        wait_for(f"{site.router}: bird answers", 10, self._answers)

    def _answers(self):
        expect(self._process.poll() is None, "bird has ended")
        return "Daemon is up" in self.ask("show", "status")

    def ask(self, *words):
        return self._machine.run("birdc", "-s", "/run/bird.ctl", *words, check=False)

    def complaints(self, protocol):
        """How often a protocol could not send through the tunnel."""
        with open(self._log, encoding="utf-8", errors="replace") as log:
            return len(re.findall(rf"{protocol}: Socket error on {self._site.tunnel}: Operation not permitted", log.read()))

    def ospf_adjacent(self):
        return re.search(rf"\bFull/\S+\s.*\b{self._site.tunnel}\b", self.ask("show", "ospf", "neighbors", "ospf1"))

    def babel_adjacent(self):
        return re.search(rf"^fe80::\S+\s+{self._site.tunnel}\b", self.ask("show", "babel", "neighbors"), re.M)

    def neighbours(self):
        return bool(self.ospf_adjacent()) + bool(self.babel_adjacent())

    def stop(self):
        """Its exit status."""
        self.ask("down")
        return self._process.wait(10)

    def forget(self):
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
