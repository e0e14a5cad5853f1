# SPDX-License-Identifier: GPL-2.0-or-later
"""OSPF and Babel over a tunnel, on whatever WireGuard this host has."""
import scenario
from sites import run


def bird_over_the_tunnel():
    scenario.play()


run(bird_over_the_tunnel)
