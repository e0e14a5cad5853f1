#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""An agent that keeps tunnels of `holdfast up` when it is not all well itself: the kernel does not answer it, half of a look
fails, another agent was first, there is more than it looks after. Costs 25 s, most of it waiting for conditions."""
import base64
import hashlib
import json
import os
import re
import signal
import subprocess
import sys

sys.dont_write_bytecode = True
from keeping import BIN, Machine, main, run, until  # noqa: E402
from trouble import mend  # noqa: E402

FULL = "Address = 10.60.0.1/24"
EVERYTHING = "AllowedIPs = 0.0.0.0/0, 10.88.0.0/16\nEndpoint = 10.9.0.21:4712"
LIMIT = 1024  # QUICK_KEPT_MAX
PEERS = 1024  # QUICK_KEPT_PEERS_MAX
WAYS = 32  # WAYS_MAX
NO_ANSWER = os.path.abspath(BIN) + "/../tests/integration/monitor/no_answer.so"


def has_address(machine):
    return "10.60.0.1/24" in machine.ip("addr", "show", "dev", machine.full)


def refuse(machine, what):
    """The kernel does not answer this question."""
    with open(machine.silence + ".new", "w") as file:
        file.write(what)
    os.rename(machine.silence + ".new", machine.silence)


def why_not(machine, pattern):
    return lambda: any(re.search(pattern, reason) for reason in machine.ready()["reasons"])


def test_a_link_that_cannot_be_asked_for_is_not_gone(machine):
    machine.full = machine.write("f", FULL, EVERYTHING)
    machine.silence = machine.dir + "/silence"
    machine.start(LD_PRELOAD=NO_ANSWER, NO_ANSWER=machine.silence,
                  ASAN_OPTIONS="verify_asan_link_order=0:" + os.environ.get("ASAN_OPTIONS", ""))
    machine.up(machine.full)
    machine.quiet(machine.full)
    refuse(machine, machine.full)
    machine.ip("addr", "del", "10.60.0.1/24", "dev", machine.full)
    until("it is told", why_not(machine, "ip link show .*No buffer space"))
    assert machine.said(rf"not-kept tunnel={machine.full} .*No buffer space") and not machine.said(r"lost .*"), machine.log()
    assert not has_address(machine), "it was meant to fail"
    _, lines = mend("the kernel answers again", lambda: os.unlink(machine.silence), lambda: has_address(machine), machine.said, until)
    assert "10.60.0.1/24 on " in lines[0].split("why=")[1], "it knows why, although the look failed at first: " + lines[0]
    until("all is well", lambda: machine.ready()["ready"] and machine.is_kept(machine.full))


def test_a_repair_is_told_whatever_fails_after_it(machine):
    """The address is back before the firewall is asked for."""
    machine.quiet(machine.full)
    total = machine.metric('holdfast_repairs_total{what="address"}')
    refuse(machine, "tables")
    _, lines = mend("ip addr del, and then the kernel does not answer",
                    lambda: machine.ip("addr", "del", "10.60.0.1/24", "dev", machine.full), lambda: has_address(machine), machine.said, until)
    assert "ip address add 10.60.0.1/24" in lines[0] and "10.60.0.1/24" in lines[0].split("why=")[1], lines
    assert machine.metric('holdfast_repairs_total{what="address"}') == total + 1
    events = machine.ask("/v1/events?after=0")["events"]
    assert sum("ip address add 10.60.0.1/24" in event["text"] for event in events) == total + 1, events
    until("the look failed", why_not(machine, "No buffer space"))
    assert "default" not in machine.ip("route", "show", "table", "51820", check=False), "which went with the address"
    mend("it answers again", lambda: os.unlink(machine.silence),
         lambda: "default" in machine.ip("route", "show", "table", "51820", check=False), machine.said, until)
    until("all is well", lambda: machine.ready()["ready"])


def test_a_firewall_that_fails_leaves_the_rest_whole(machine):
    """Another program owns a table by the name of ours (nft(8), flags owner)."""
    machine.quiet(machine.full)
    owner = subprocess.Popen(["ip", "netns", "exec", machine.host, "nft", "-i"], stdin=subprocess.PIPE,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True)
    # One transaction, so that no look comes between.
    owner.stdin.write(f"delete table ip wg-quick-{machine.full}; add table ip wg-quick-{machine.full} {{ flags owner; }}\n")
    owner.stdin.flush()
    until("it fails", why_not(machine, "refuses the firewall"))
    mend("ip route flush while the firewall fails", lambda: machine.ip("route", "flush", "table", "51820"),
         lambda: "default" in machine.ip("route", "show", "table", "51820", check=False), machine.said, until)
    assert not machine.ready()["ready"], "the firewall is not ours yet"

    def end():
        owner.stdin.close()
        owner.wait()
        machine.nudge(machine.full)  # the kernel tells nobody
    mend("the other program ends", end, lambda: "preraw" in machine.inside("nft", "list", "table", "ip", "wg-quick-" + machine.full, check=False),
         machine.said, until)
    until("all is well", lambda: machine.ready()["ready"])


def crowd(count):
    """So many peers with an endpoint, the first ones always the same; without the first one's head."""
    def key(number):
        return base64.b64encode(hashlib.sha256(f"peer {number}".encode()).digest()).decode()
    return "Endpoint = 10.9.0.22:1\n" + "".join(f"[Peer]\nPublicKey = {key(number)}\nEndpoint = 10.9.0.22:{number}\n" for number in range(2, count + 1))


def test_more_peers_than_are_watched(machine):
    """At a limit nothing is said; one peer beyond it is told of, once, and again when there are too many again."""
    def bring_up(count):
        name = machine.write("p", "Address = 10.70.0.1/24\nTable = off", crowd(count))
        machine.up(name)
        machine.quiet(name)
        return name

    def ask_for_the_ways(mtu):
        """A changed underlay: when that is told, all ways have been asked for."""
        changes = len(machine.said("underlay-changed"))
        machine.ip("route", "replace", "default", "via", "10.9.0.1", "mtu", str(mtu))
        until("all ways are asked for", lambda: len(machine.said("underlay-changed")) > changes)

    def not_watched(what):
        return [(int(peers), int(limit)) for peers, limit in machine.said(rf"{what}-not-watched.* peers=(\d+) limit=(\d+)")]
    fit = WAYS - 3  # the ways to everywhere, of each family, and to the other tunnel's peer
    for told, mtu in (1, 1490), (2, 1492):
        bring_up(fit)
        ask_for_the_ways(mtu)
        assert len(not_watched("ways")) == told - 1, not_watched("ways")
        name = bring_up(fit + 1)
        ask_for_the_ways(mtu + 1)
        assert not_watched("ways") == [(1, WAYS)] * told, not_watched("ways")
    bring_up(PEERS)
    assert not not_watched("peers"), not_watched("peers")
    bring_up(PEERS + 1)
    until("one is too many", lambda: not_watched("peers") == [(1, PEERS)])
    ask_for_the_ways(1494)
    assert len(not_watched("ways")) == 2 and not_watched("peers") == [(1, PEERS)], machine.said(r"\S+-not-watched.*")
    assert machine.said(rf"peers-not-watched tunnel={name} "), machine.said("peers-not-watched.*")
    machine.holdfast("down", name)
    machine.ways()


def test_the_second_agent_takes_over_from_the_first(machine):
    """It finds the lock held (by one that ends slowly, say), says so, and tries again."""
    machine.quiet(machine.full)
    os.unlink(machine.dir + "/run/agent.sock")  # else the second would not start
    first, machine.agent = machine.agent, None
    try:
        machine.agent = machine.launch(port=9582)
        until("it says so", lambda: machine.said(r"tunnels-not-kept .*another agent keeps this namespace's tunnels.*"))
        assert not machine.ask("/v1/status")["tunnels"]
        first.send_signal(signal.SIGKILL)
        first.wait()
        until("it keeps them", lambda: machine.said(r"tunnels-kept .*"))
        until("it has looked", lambda: machine.is_kept(machine.full))
        mend("ip addr del, for the second agent", lambda: machine.ip("addr", "del", "10.60.0.1/24", "dev", machine.full),
             lambda: has_address(machine), machine.said, until)
    finally:
        first.kill()
        first.wait()


def test_more_tunnels_than_are_kept(machine):
    """What is too many is told of by name, and those that are kept stay so. All but one are of a boot in which their links went
    for good."""
    directory = next(entry.path for entry in os.scandir(machine.dir + "/run/quick") if entry.is_dir())
    with open(f"{directory}/{machine.full}.json") as file:
        journal = json.load(file)
    journal["ifindex"] += 1000000

    def write(name):
        with open(f"{directory}/{name}.new", "w") as file:
            json.dump(journal, file)
        os.rename(f"{directory}/{name}.new", f"{directory}/{name}.json")

    def kept():
        return machine.metric("holdfast_kept_tunnels")

    def too_many():
        return machine.said(r"too-many-tunnels kept=\d+ not_kept=.*")
    for number in range(LIMIT - 1):
        write(f"zz{number:04}")
    until("all of them are seen", lambda: kept() == LIMIT, 60)
    assert not too_many(), too_many()
    for name in ("aaa", "zzz"):
        write(name)
    until("it says which are too many", lambda: any('not_kept="aaa zzz"' in line for line in too_many()), 60)
    assert kept() == LIMIT and any("not kept are aaa zzz" in warning for warning in machine.ready()["warnings"]), machine.ready()
    mend("ip addr del beside many tunnels", lambda: machine.ip("addr", "del", "10.60.0.1/24", "dev", machine.full),
         lambda: has_address(machine), machine.said, until)
    os.unlink(f"{directory}/zz0007.json")
    until("there is room for another one", lambda: too_many()[-1].endswith("not_kept=zzz"), 60)
    assert kept() == LIMIT
    for file in os.listdir(directory):
        if file.endswith(".json") and file != machine.full + ".json":
            os.unlink(f"{directory}/{file}")
    until("they are forgotten", lambda: kept() == 1, 60)
    assert not any("not kept are" in warning for warning in machine.ready()["warnings"])


def test_nothing_stays(machine):
    machine.holdfast("down", machine.full)
    until("no tunnel is left", lambda: not machine.ask("/v1/status")["tunnels"])
    assert machine.stop() == 0
    until("no process is left", lambda: not run("ip", "netns", "pids", machine.host).split())
    assert os.listdir(machine.dir + "/run/quick") == [], os.listdir(machine.dir + "/run/quick")


if __name__ == "__main__":
    main([test_a_link_that_cannot_be_asked_for_is_not_gone, test_a_repair_is_told_whatever_fails_after_it,
          test_a_firewall_that_fails_leaves_the_rest_whole, test_more_peers_than_are_watched,
          test_more_tunnels_than_are_kept, test_the_second_agent_takes_over_from_the_first, test_nothing_stays], Machine(), "An agent in trouble itself")
