#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""wg-quick and holdfast side by side on kernel WireGuard, a reload there, a default route as halves, and a tunnel that changes
hands under pings. Fewer than on the host, for emulation is slow."""
import os
import sys

sys.path.insert(0, "/holdfast/tests/integration/quick")
import test_adopt  # noqa: E402
import test_compare  # noqa: E402
import test_faults  # noqa: E402
import test_halves  # noqa: E402

CASES = ("covered routes",)  # full ones: test_differential.py


def main():
    os.makedirs("/etc/wireguard", exist_ok=True)
    with open("/etc/resolv.conf", "a", encoding="ascii"):
        pass
    for name in CASES:
        test_compare.test_case(name, test_compare.CASES[name])
        print("alike:", name, flush=True)
    test_faults.test_reload()
    test_halves.test_halves()
    test_adopt.test_no_packet_notices(interval_s=0.02, rounds=2)
    return 0


if __name__ == "__main__":
    sys.exit(main())
