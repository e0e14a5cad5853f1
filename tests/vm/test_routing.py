#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Routing daemons over a tunnel, on kernel WireGuard. Emulation is slow: everything may take longer. About 40 s."""
import scenario
from sites import run


def bird_over_kernel_wireguard():
    scenario.play(expected_kernel=True, patience=60)


run(bird_over_kernel_wireguard)
