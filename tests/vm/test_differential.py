#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""wg-quick and holdfast side by side on kernel WireGuard. A case takes 10 s of emulation on an idle host, so by default only those
run for which the kernel's WireGuard is not wireguard-go: where its device and its port come and go. The host runs all of them
with wireguard-go, and soak the rest of these here."""
import os
import sys

sys.path[:0] = ["/holdfast/tests/integration/quick", "/holdfast/tests/integration/quick/differential"]
import cases  # noqa: E402
import judge  # noqa: E402

CHOSEN = (
    "a full tunnel, both families",
    "two tunnels of one port: the second is undone",
    "the link is deleted: down",
)
MORE = (
    "PostUp fails: all is undone, no other hook runs",
    "two full tunnels, the first goes first",
    "one peer three times",
    "a route in the way: all is undone",
    "a table by number, with default routes",
    "a rule of preference 0",
    "five addresses, of which three share a network",
    "our own key as a peer's",
    "forty peers with endpoints and keepalives",
)


def with_kernel(case):
    """The kernel and wireguard-go refuse at different steps, hence with different statuses of wg-quick's."""
    for step in case.steps:
        if step.statuses and not step.why or step.why == "own-status":
            step.statuses = cases.ALIKE
    return case


def main():
    os.makedirs("/etc/wireguard", exist_ok=True)
    with open("/etc/resolv.conf", "a", encoding="ascii"):
        pass
    named = {case.name: case for case in cases.read_all()}
    chosen, failed = CHOSEN + (MORE if "HOLDFAST_EVERYTHING" in os.environ else ()), 0
    for name in chosen:
        result = judge.run(with_kernel(named[name]))
        failed += bool(result.problems)
        print(f"{'differ' if result.problems else 'alike'}: {name}, {result.seconds:.0f} s", flush=True)
        for problem in result.problems:
            print(problem, flush=True)
    print(f"{len(chosen)} configurations on kernel WireGuard, {failed} with unexplained differences")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
