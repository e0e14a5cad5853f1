# SPDX-License-Identifier: GPL-2.0-or-later
"""Does to two machines what a case says, and tells what differs and is not explained."""
import os
import re
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import differences
from cases import ALIKE
from compare import HOLDFAST, Pair, UPLINK, WG_QUICK, diff, normalise

# What the shell commands of cases may use.
PRELUDE = f"DIFFERENTIAL={os.path.dirname(os.path.abspath(__file__))}" + """
gone() { for _ in {1..500}; do ip link show "$1" >/dev/null 2>&1 || return 0; sleep 0.01; done; return 1; }
kill_daemon() { kill -9 $(pidof wireguard-go); for link; do gone $link; done; }
say() { echo "$*" >>/run/transcript; }
"""


LINES_MAX = 80  # of one problem that are shown
TIMEOUT_S = 1200  # wg-quick takes 3 to 8 ms a prefix, and one case has 130,560 of them
ATTEMPTS = 3


class Result:
    def __init__(self, name):
        self.name, self.problems, self.explained, self.seconds, self.compared = name, [], set(), 0.0, 0
        self.odd = False               # wg-quick itself ended otherwise than it does
        self.came_up = False           # under both

    def problem(self, where, text):
        self.problems.append(f"{where}:\n    " + "\n    ".join(text.splitlines()[:LINES_MAX]))


class Bench:
    """Two machines and a thread for each."""

    def __init__(self, files):
        self.threads = ThreadPoolExecutor(2)
        self.pair = Pair({}, uplink=False)
        self.both(lambda host: [host.write(f"/etc/wireguard/{name}.conf", text) for name, text in files.items()])

    def both(self, function):
        return tuple(self.threads.map(function, self.pair.hosts))

    def shell(self, script):
        self.both(lambda host: host.must(PRELUDE + script))

    def command(self, verb, argument):
        """Status, stdout, stderr of both."""
        def call(host):
            program = WG_QUICK if host is self.pair.wg_quick else HOLDFAST
            return host.call(program, verb, argument, timeout=TIMEOUT_S, env={"WG_ENDPOINT_RESOLUTION_RETRIES": "0"})
        return self.both(call)

    def snapshots(self, random_port):
        texts = self.both(lambda host: host.snapshot())
        assert all("== resolv.conf" in text and "lo:" in text for text in texts), "a machine tells nothing"
        return tuple(normalise(text, random_port, deliberate=False) for text in texts)

    def close(self):
        self.pair.close()
        self.threads.shutdown()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def unexplained(lines, explained, used):
    """Lines of a diff that no expression covers. `used` learns which expressions did."""
    left = []
    for line in lines:
        if line[:1] not in "+-" or line[:3] in ("+++", "---"):
            continue
        names = [entry for entry in explained if re.search(entry[1], line)]
        used.update(names)
        if not names:
            left.append(line)
    return left


def judge_state(case, step, bench, result):
    theirs, ours = differences.make_alike(*bench.snapshots(case.random_port()), result.explained)
    lines, used = diff(theirs, ours), set()
    result.compared += 1
    if unexplained(lines, step.explained, used):
        result.problem(f"after `{step.text}'", "\n".join(lines))
    for entry in step.explained:
        if entry in used:
            result.explained.add(entry[0])
        else:
            result.problem(f"after `{step.text}'", f"{entry[0]}: an explained difference that does not occur: {entry[1]}")


def judge_statuses(step, answers, result):
    statuses = tuple(answer[0] for answer in answers)
    result.came_up |= step.text.startswith("up ") and statuses == (0, 0)
    if step.statuses == ALIKE:
        alike = statuses[0] == statuses[1] or (statuses[0] and statuses[1] == 1)
        if not alike:
            result.problem(f"`{step.text}' ended with {statuses}", "\n--\n".join(a[2] for a in answers))
        elif statuses[0] != statuses[1]:
            result.explained.add("own-status")
    elif statuses != step.statuses:
        result.odd |= statuses[0] != step.statuses[0] and statuses[1] == step.statuses[1]
        result.problem(f"`{step.text}' ended with {statuses}, expected {step.statuses}", "\n--\n".join(a[2] for a in answers))
    elif statuses[0] != statuses[1]:
        result.explained.add(step.why)
    if "ERROR: AddressSanitizer" in answers[1][2] or "runtime error:" in answers[1][2]:
        result.problem(f"`{step.text}'", answers[1][2])
    if step.text.startswith("strip") and answers[0][1] != answers[1][1]:
        result.problem(f"`{step.text}' prints", "\n".join(diff(answers[0][1], answers[1][1])))


def what_stays(text):
    """Of a snapshot, without what hooks and resolvconf were told and what was saved; nor what the kernel changes for ever when
    a WireGuard device of its own comes up."""
    text = re.sub(r"(?m)^.*/conf/all/send_redirects:.*\n", "", text)
    return text.partition("== transcript")[0] + text.partition("== resolv.conf")[2]


def judge_end(case, bench, before, result):
    ours = bench.pair.holdfast
    after = normalise(ours.snapshot(), case.random_port(), deliberate=False)
    lines = diff(what_stays(before), what_stays(after))
    if lines:
        result.problem("holdfast leaves something behind", "\n".join(lines))
    journals = ours.must("find /run/holdfast -type f ! -name '*.lock' 2>/dev/null || :")
    if journals:
        result.problem("holdfast leaves files behind", journals)


def run(case):
    """What wg-quick and wireguard-go do not repeat is no measure: on a busy machine a port in use is noticed too late, or never."""
    for _ in range(ATTEMPTS):
        result = run_once(case)
        if not result.odd:
            break
    return result


def run_once(case):
    result, begin = Result(case.name), time.monotonic()
    try:
        with Bench(case.files) as bench:
            bench.shell(UPLINK + "\n".join(case.setup))
            before = bench.snapshots(case.random_port())
            for step in case.steps:
                if step.statuses is None:
                    bench.shell(step.text)
                    continue
                judge_statuses(step, bench.command(*step.text.split()), result)
                judge_state(case, step, bench, result)
            if not case.keeps:
                judge_end(case, bench, before[1], result)
    except (AssertionError, OSError, ValueError, subprocess.SubprocessError) as error:
        result.problem("the test itself failed", str(error))
    result.seconds = time.monotonic() - begin
    return result
