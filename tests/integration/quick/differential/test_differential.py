#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's wg-quick and holdfast do the same with the same files, on machines that are alike: what cases/ tells, and random
files. See cases.py for the language, differences.py for what may differ.

usage: test_differential.py [--jobs N] [--random N] [--seed N] [WORD...]     only cases whose name or heading has a WORD
"""
import argparse
import os
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.dirname(os.path.dirname(os.path.abspath(__file__)))]
import cases  # noqa: E402
import differences  # noqa: E402
import generate  # noqa: E402
import judge  # noqa: E402
from compare import can_run  # noqa: E402

SLOWEST = 5


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--random", type=int, default=0)
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4), "big"))
    parser.add_argument("words", nargs="*")
    return parser.parse_args()


def choose(options):
    named = [case for case in cases.read_all() if not options.words or
             any(word in case.name or word in case.group for word in options.words)]
    return named, [generate.case(options.seed, number) for number in range(options.random)]


def run_all(chosen, jobs):
    results = []
    with ThreadPoolExecutor(jobs) as pool:
        futures = [pool.submit(judge.run, case) for case in chosen]
        try:
            for future in as_completed(futures):
                results.append(future.result())
                tell(results[-1])
        except BaseException:
            pool.shutdown(cancel_futures=True)  # those that run take their machines down
            raise
    return results


def tell(result):
    for problem in result.problems:
        print(f"FAILED: {result.name}: {problem}", flush=True)


def judge_share(results, randoms):
    names = {case.name for case in randoms}
    came_up = sum(result.came_up for result in results if result.name in names)
    print(f"{came_up} of {len(randoms)} random configurations came up")
    return [text for text in [generate.too_few(came_up, len(randoms))] if text]


def judge_list(results, listed):
    """The list of differences is complete and nothing on it is a thing of the past."""
    seen = set().union(*(result.explained for result in results))
    return ([f"{name}: not in {differences.DOCUMENT}" for name in sorted(seen - listed.keys())],
            [f"{name}: listed, but did not occur" for name in sorted(listed.keys() - seen)])


def main():
    options = arguments()
    if not can_run():
        print("needs root, wg-quick and wireguard-go")
        return 77
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    begin, listed = time.monotonic(), differences.read()
    named, randoms = choose(options)
    print(f"{len(named)} named configurations, {len(randoms)} random ones of seed {options.seed}", flush=True)
    results = run_all(named + randoms, options.jobs)
    unknown, absent = judge_list(results, listed)
    failed = [result for result in results if result.problems]
    problems = unknown + ([] if options.words else absent) + judge_share(results, randoms)
    for line in problems:
        print("FAILED:", line)
    for result in sorted(results, key=lambda result: -result.seconds)[:SLOWEST]:
        print(f"  {result.seconds:6.1f} s  {result.name}")
    print(f"{len(results)} configurations, {sum(r.compared for r in results)} comparisons, {len(failed)} with unexplained differences, "
          f"{len(listed) - len(absent)} deliberate ones seen, {time.monotonic() - begin:.0f} s")
    return 1 if failed or problems else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
