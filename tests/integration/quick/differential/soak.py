#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Random configurations, and then large ones, for as long as it is told to, going on where the last call ended.
usage: soak.py RECORD [--count N] [--seconds N] [--jobs N]"""
import argparse
import os
import signal
import sys
import threading
import time

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.dirname(os.path.dirname(os.path.abspath(__file__)))]
import cases  # noqa: E402
import generate  # noqa: E402
import judge  # noqa: E402
import record  # noqa: E402
from compare import can_run  # noqa: E402


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("record")
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=1e9)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    return parser.parse_args()


class Soak:
    def __init__(self, options):
        self.large = cases.read_all(cases.HERE + "/cases/large")
        self.count = options.count
        self.kept = record.Record(options.record, int.from_bytes(os.urandom(4), "big"), options.count + len(self.large))
        self.left, self.lock, self.failed = self.kept.left(), threading.Lock(), 0
        self.deadline = time.monotonic() + options.seconds

    def next(self):
        with self.lock:
            return self.left.pop(0) if self.left and time.monotonic() < self.deadline else None

    def case(self, number):
        return generate.case(self.kept.seed, number) if number < self.count else self.large[number - self.count]

    def work(self):
        while (number := self.next()) is not None:
            result = judge.run(self.case(number))
            with self.lock:
                self.kept.add(number, result)
                self.failed += bool(result.problems)
                for problem in result.problems:
                    print(f"FAILED: {result.name}: {problem}", flush=True)

    def stop(self, *_):
        self.deadline = 0  # those that run end by themselves, in seconds


def main():
    options = arguments()
    if not can_run():
        print("needs root, wg-quick and wireguard-go")
        return 77
    soak = Soak(options)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, soak.stop)
    workers = [threading.Thread(target=soak.work) for _ in range(options.jobs)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    print(soak.kept.summary())
    few = generate.too_few(soak.kept.came_up, len(soak.kept.done))
    if few:
        print("FAILED:", few)
    return 1 if soak.failed or few else 0


if __name__ == "__main__":
    sys.exit(main())
