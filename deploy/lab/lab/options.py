# SPDX-License-Identifier: GPL-2.0-or-later
"""The demo's command line."""
import argparse

from .faults import FAULTS
from .table import INTERVAL_MS

_DEFAULT_FAULTS = ["power", "drain", "agent-kill", "controller-kill"]


def parse():
    """The options; `fault` is the list of those to run, each once, in the order given."""
    parser = argparse.ArgumentParser(prog="demo", description="Gateways fail, a stock WireGuard client watches.")
    parser.add_argument("--cycles", type=_positive, default=5, metavar="N", help="how often each fault happens (5)")
    parser.add_argument("--fault", action="append", choices=list(FAULTS), help="repeatable; default: " + ", ".join(_DEFAULT_FAULTS))
    parser.add_argument("--baseline", action="store_true", help="the same under keepalived and wg-quick as well, side by side")
    parser.add_argument("--peers", type=_positive, default=0, metavar="N", help="so many more configured peers")
    parser.add_argument("--liveness", metavar="DURATION", help="the time between beats, such as 25ms")
    parser.add_argument("--interval", type=_positive, default=INTERVAL_MS, metavar="MS",
                        help=f"time between the client's pings ({INTERVAL_MS})")
    parser.add_argument("--kind", choices=["floating", "balanced"], default="floating", help="of the virtual endpoint")
    parser.add_argument("--json", metavar="FILE", help="writes all figures there")
    parser.add_argument("--logs", metavar="DIR", help="keeps the daemons' logs there")
    parser.add_argument("--keep", action="store_true", help="leaves the lab running afterwards")
    parser.add_argument("--stop", action="store_true", help="ends the labs left running, and nothing else")
    parser.add_argument("--no-install", action="store_true", help="installs no packages")
    parser.add_argument("--client", choices=["wireguard-go", "kernel"], default="wireguard-go", help="the client's WireGuard")
    parser.add_argument("--only-baseline", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.fault = list(dict.fromkeys(options.fault or _DEFAULT_FAULTS))
    return options


def _positive(text):
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return value
