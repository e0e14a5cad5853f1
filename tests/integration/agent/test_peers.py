#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Whom the real agent lets in: with a secret that has gone, in a group without rules, beyond its time. 12 s."""
import os
import subprocess
import sys
import time
from contextlib import contextmanager

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bench import Bench, run, until  # noqa: E402
from runner import run_all  # noqa: E402


def preshared_key(bench):
    said = run("ip", "netns", "exec", bench.gateway, "wg", "show", bench.tunnel, "preshared-keys")
    return next(line.split()[1] for line in said.splitlines() if line.startswith(bench.peer))


def test_a_preshared_key_that_has_gone(bench):
    """What runs goes on when its file is missing at a restart; what has to be made anew lets nobody in without one."""
    path, key = bench.dir + "/psk", run("wg", "genpsk").strip()
    with open(path, "w") as file:
        file.write(key + "\n")
    os.chmod(path, 0o644)
    peers = bench.desired()["peers"]
    bench.apply(bench.desired(peers=[{**peers[0], "preshared_key_file": "psk"}]))
    assert "psk: others may read this secret (mode 0644)" in open(bench.dir + "/agent.log", errors="replace").read()
    os.chmod(path, 0o600)
    until("the key is set", lambda: preshared_key(bench) == key)
    os.unlink(path)
    assert bench.stop() == 0
    bench.start()
    until("it is ready", lambda: bench.get("/readyz")[0] == 200)
    assert preshared_key(bench) == key
    assert bench.stop() == 0
    bench.ip("link", "del", bench.tunnel)
    bench.start()
    until("it is ready again", lambda: bench.get("/readyz")[0] == 200)
    assert preshared_key(bench) not in (key, "(none)")
    bench.apply(bench.desired())
    until("the key has gone", lambda: preshared_key(bench) == "(none)")
    assert bench.get("/healthz/vpn")[0] == 200, "it has served all the time"


def of_staff(bench, **changes):
    desired = bench.desired(groups=[{"name": "staff", "may_reach": ["192.168.1.0/24"]}])
    desired["peers"][0].update({"groups": ["staff"], **changes})
    return desired


def test_what_a_group_may_reach_is_held(bench):
    def held():
        return "10.50.0.2" in bench.nft("list", "table", "inet", "holdfast_groups", check=False)

    bench.apply(of_staff(bench))
    until("the rules are there", held)
    bench.nft("flush", "ruleset")
    until("they are back", held)
    bench.nft("flush", "set", "inet", "holdfast_groups", f"from4.{bench.tunnel}.staff")
    until("the elements are back", held)
    check_nobody_is_let_in_without_rules(bench)


def check_nobody_is_let_in_without_rules(bench):
    """The kernel refuses them, since the table is another's: then it lets nobody in whom they would hold."""
    def is_peer():
        return bench.peer in run("ip", "netns", "exec", bench.gateway, "wg", "show", bench.tunnel, "peers", check=False)

    @contextmanager
    def of_anothers():
        other = subprocess.Popen(["ip", "netns", "exec", bench.gateway, "nft", "-i"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                 text=True)
        try:
            other.stdin.write("add table inet holdfast_groups { flags owner; }\n")
            other.stdin.flush()
            until("it is another's", lambda: "holdfast_groups" in bench.nft("list", "tables"))
            yield
        finally:
            other.stdin.close()
            other.wait()

    bench.apply(bench.desired())
    until("there are none", lambda: "holdfast_groups" not in bench.nft("list", "tables"))
    held = bench.generation
    with of_anothers():
        before = bench.nft("-a", "-s", "-t", "list", "ruleset")
        staged = bench.stage(of_staff(bench))
        assert not staged["ok"] and staged["error"] == (
            "the kernel refuses the rules of groups, table inet holdfast_groups: Operation not permitted: another program owns "
            "that table (nft list ruleset shows it with flags owner): end that program"), staged
        assert bench.nft("-a", "-s", "-t", "list", "ruleset") == before and is_peer()
        assert bench.controller.report["generation"] == held
    desired = of_staff(bench)
    assert bench.stage(desired)["ok"]
    assert "holdfast_groups" not in bench.nft("list", "tables"), "what was only tried is there"
    with of_anothers():  # now that it has said that it could
        assert is_peer()
        bench.controller.post("commit", commit=desired["generation"])
        until("nobody is let in", lambda: not is_peer())
        assert "peers in groups are kept out" in bench.get("/readyz")[1]
    until("it is a peer, with its rules", is_peer)
    assert "10.50.0.2" in bench.nft("list", "table", "inet", "holdfast_groups")


def test_a_peer_ends_when_its_time_is_over(bench):
    """By the agent alone: no controller says so, and after a restart it is still over."""
    def is_peer():
        return bench.peer in run("ip", "netns", "exec", bench.gateway, "wg", "show", bench.tunnel, "peers", check=False)

    bench.apply(of_staff(bench, expires_s=int(time.time()) + 6))
    until("it is a peer", is_peer)
    until("it is none any more", lambda: not is_peer())
    until("what it could reach has gone", lambda: "holdfast_groups" not in bench.nft("list", "tables"))
    assert "peer alice of" in bench.log() and "is removed" in bench.log()
    bench.stop()
    bench.start()
    until("it looked", lambda: bench.metric("holdfast_plan_looks_total"))
    assert not is_peer()
    bench.apply(bench.desired())
    until("it is a peer again", is_peer)


TESTS = [test_a_preshared_key_that_has_gone, test_what_a_group_may_reach_is_held, test_a_peer_ends_when_its_time_is_over]


def main():
    """Each stands on what was done before it."""
    bench = Bench()
    bench.begin()
    bench.serve()
    run_all(TESTS, bench, log=bench.log)


main()
