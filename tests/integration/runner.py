# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the tests of one program one after the other: all, or those that the command line names."""
import sys
import time

LEFT_OUT = 77  # ctest's status for what could not be run here
SHOWN = 6000   # characters of a log, of a test that fails


def chosen(tests):
    return [test for test in tests if len(sys.argv) < 2 or test.__name__ in sys.argv[1:]]


def run_all(tests, *arguments, log=lambda: ""):
    """Each is called with the arguments. The first that fails ends all, with the end of the log."""
    for test in chosen(tests):
        began = time.monotonic()
        try:
            test(*arguments)
        except BaseException:
            print(f"not ok {test.__name__}", flush=True)
            sys.stdout.write(log()[-SHOWN:])
            raise
        print(f"ok {test.__name__} {time.monotonic() - began:.1f} s", flush=True)


def run_module(module, possible):
    """The module's test_* in its order, each with what it makes itself."""
    if not possible:
        sys.exit(LEFT_OUT)
    run_all([test for name, test in module.items() if name.startswith("test_")])
