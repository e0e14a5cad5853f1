# SPDX-License-Identifier: GPL-2.0-or-later
"""What a gateway does from the order to take over until it has asked for the last handshake: system calls and time, by phase."""
import collections
import re
import statistics
import sys
import time

import syscalls
from benchlab import LabError, heading, run, running_scene, table, wait_for
from crowd import Crowd, wait_sessions
from lab.scene import HOME
from lablog import Log, ms_between, time_of_day
from process import Process

SESSIONS = [int(count) for count in sys.argv[1:]] or [1, 100]
PEERS, TAKEOVERS = 1000, 3
_MESSAGE_SHOWN = 16384      # of a message to WireGuard: all its peers
PHASES = ["permit", "addresses, routes", "announcements", "peers", "initiations kept", "sessions read back", "the loop, beats, files"]


class Takeover:
    """The owner loses power; times by the new owner's log, in ms since the controller's order arrived."""

    def __init__(self, scene):
        owner, other = scene.gateways[HOME], scene.other(HOME)
        log = Log(scene.files.log(other.name))
        owner.power_off()
        result = wait_for("the takeover is over", 30, lambda: log.lines(" takeover endpoint="))[-1]
        ordered = time_of_day(log.lines(" order endpoint=")[0])
        fields = dict(re.findall(r"(\w+)=(\d+)\b", result))
        self.serving_ms = ms_between(ordered, time_of_day(log.lines("serving, epoch")[0]))
        self.detect_ms, self.sessions, self.back, self.first_ms, self.took_ms = (
            int(fields[name]) for name in ("detect_ms", "sessions", "back", "first_ms", "took_ms"))


def back_home(scene, count):
    scene.gateways[HOME].power_on()
    scene.go_home()
    wait_sessions(scene.gateways.values(), count)


def build_crowd(scene, count):
    crowd = Crowd(count - 1)      # the lab's own client is one
    with open(scene.files.fleet, encoding="utf-8") as file:
        text = file.read()
    scene.files.write("ctl", "etc", "fleet.yaml", text=text + crowd.peer_lines())
    scene.controller.holdfast("apply", scene.files.fleet)
    crowd.connect(scene)


def measure(count):
    with running_scene(peers=PEERS - count) as scene:
        if count > 1:
            build_crowd(scene, count)
        wait_sessions(scene.gateways.values(), count)
        takeovers = []
        for _ in range(TAKEOVERS):
            takeovers.append(Takeover(scene))
            back_home(scene, count)
        return takeovers, traced(scene, count)


def traced(scene, count):
    """The calls from the order to the last handshake that was asked for, none without strace."""
    if not syscalls.available():
        return []
    with syscalls.Trace(Process(scene.other(HOME).agent).pid, _MESSAGE_SHOWN) as trace:
        begin = time.time()
        Takeover(scene)
    back_home(scene, count)
    return phases([call for call in trace.calls if call.at >= begin], count)


def phases(calls, count):
    """(phase, call) for each call from the order until `count` peers have been poked; what is tried again later is left out."""
    first = next(i for i, call in enumerate(calls) if call.name == "write" and " order endpoint=" in call.rest)
    last = _last_poke(calls, first, count)
    answered = next(i for i in range(last, len(calls)) if calls[i].name == "close")
    permits = {_descriptor(call) for call in calls[first:] if call.kind == "netlink requests" and "nlmsg_type=0x10 " in call.rest[:90]}
    found, connection = [], None
    for number, call in enumerate(calls[first:answered + 1], first):
        if call.name == "sendto" and call.kind == "WireGuard":
            connection = "sessions read back" if '"get=1' in call.rest else "peers"
        found.append((_phase(call, permits, connection or _next_connection(calls[number:])), call))
    return found


def _last_poke(calls, first, count):
    poked = 0
    for number in range(first, len(calls)):
        if '"set=1' in calls[number].rest:
            poked += calls[number].rest.count("public_key=")
            if poked >= count:
                return number
    raise LabError(f"only {poked} of {count} peers were poked")


def _next_connection(calls):
    request = next((call for call in calls if call.name == "sendto" and call.kind == "WireGuard"), None)
    return "sessions read back" if request and '"get=1' in request.rest else "peers"


def _phase(call, permits, connection):
    if call.kind.startswith("netlink"):
        return "permit" if _descriptor(call) in permits else "addresses, routes"
    if call.name.startswith("recv") and "AF_PACKET" in call.rest:
        return "initiations kept"      # to be sent again, should they be lost
    if "AF_PACKET" in call.rest or (call.name == "ioctl" and "<UNIX" not in call.rest):
        return "announcements"
    return connection if call.kind == "WireGuard" or "<UNIX" in call.rest else "the loop, beats, files"


def _descriptor(call):
    return call.rest.split("<", 1)[0]


def takeovers_of_different_sizes():
    measured = {count: measure(count) for count in SESSIONS}
    heading(f"The owner loses power, {PEERS} peers configured; medians of {TAKEOVERS}, ms; by the new owner's log, from the order's arrival")
    table(["live sessions", "noticed", "serving, announced", "first client back", "last client back", "back"],
          [[count, *(f"{statistics.median(getattr(t, name) for t in takeovers):.0f}" for name in ("detect_ms", "serving_ms", "first_ms", "took_ms")),
            f"{sum(t.back for t in takeovers)} of {sum(t.sessions for t in takeovers)}"] for count, (takeovers, _) in measured.items()])
    print_calls({count: calls for count, (_, calls) in measured.items() if calls})


def print_calls(traces):
    if not traces:
        print("\n  System calls: not counted, there is no strace.")
        return
    counts = {count: collections.Counter(phase for phase, _ in calls) for count, calls in traces.items()}
    print("\n  System calls from the order until the last handshake was asked for:")
    table(["phase", *(f"{count} live" for count in traces)],
          [[phase, *(counts[count][phase] for count in traces)] for phase in PHASES] + [["all", *(sum(c.values()) for c in counts.values())]])


run(takeovers_of_different_sizes)
