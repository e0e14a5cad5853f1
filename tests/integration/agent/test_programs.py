#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What the fleet file has a gateway run: programs that are told of each change, hooks around a tunnel, resolvconf. 15 s."""
import json
import os
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bench import Bench, run, until  # noqa: E402
from runner import run_all  # noqa: E402

QUIET_S = 0.5


def test_programs_are_told(bench):
    """The state at the start, and each change; one that hangs keeps nobody from serving."""
    program, states = bench.dir + "/told", bench.dir + "/states"
    with open(program, "w") as file:
        file.write(f"#!/bin/sh\necho $HOLDFAST_GATEWAY $HOLDFAST_ENDPOINT $HOLDFAST_STATE $HOLDFAST_REASON >>{states}\n"
                   f"[ ! -e {bench.dir}/hang ] || exec sleep 300\nexit 3\n")
    os.chmod(program, 0o755)

    def told():
        return open(states).read().splitlines() if os.path.exists(states) else []
    desired = bench.desired()
    desired["endpoints"][0]["notify"] = [{"program": program, "owner": True, "standby": True, "unfit": True}]
    bench.apply(desired)
    until("it is told that it is a standby", lambda: told() == ["gw-a vpn standby"])
    until("its end is told", lambda: f'vpn: {program}, told \\"standby\\": exit status 3' in bench.log())
    open(bench.dir + "/hang", "w").close()
    bench.serve()
    until("it is told that it is the owner", lambda: told()[1:] == ["gw-a vpn owner"])
    bench.order("gw-b")
    until("it is a standby, although the program hangs", lambda: bench.seat().get("role") == "standby")
    bench.apply(bench.desired())
    until("what nobody wants any more is ended", lambda: not any(
        word in command for command in bench.running() for word in (b"told", b"sleep\0300")))
    assert len(told()) == 2, told()


def test_hooks_run_around_a_tunnel(bench):
    """Once each, not when an agent takes it over; what was cut off is done again, and what fails before it is made keeps it away. Name servers, too. 11 s."""
    program, name, lines = bench.dir + "/told", "h" + bench.tunnel, bench.dir + "/lines"
    with open(program, "w") as file:
        file.write(f"#!/bin/sh\nip link show $INTERFACE >/dev/null 2>&1 && is=there || is=away\necho $* $INTERFACE $is >>{lines}\n"
                   f"[ ! -e {bench.dir}/$1.hangs ] || exec sleep 300\n[ ! -e {bench.dir}/$1.fails ]\n")
    os.mkdir(bench.dir + "/bin")
    with open(bench.dir + "/bin/resolvconf", "w") as file:
        file.write(f"#!/bin/sh\nip link show {name} >/dev/null 2>&1 && is=there || is=away\n"
                   f"[ $1 = -d ] || servers=$(tr '\\n' ' ')\necho $1 $2 $servers$is >>{lines}\n"
                   f"[ ! -e {bench.dir}/dns.fails ] || {{ echo full >&2; exit 4; }}\n")
    for path in (program, bench.dir + "/bin/resolvconf"):
        os.chmod(path, 0o755)

    def ran():
        return open(lines).read().replace(f" {name}", "").splitlines() if os.path.exists(lines) else []

    def touch(mark):
        open(f"{bench.dir}/{mark}", "w").close()

    def with_hooks(*servers):
        desired = bench.desired()
        desired["tunnels"].append(dict(
            desired["tunnels"][0], name=name, private_key_file="peer.key", public_key=bench.peer, listen_port=51821,
            fwmark=1212547073, addresses=["10.51.0.1/24"], dns=servers, forward={"policy": "unmanaged", "snat": []},
            pre_up=[f"{program} pre_up %i"], post_up=[f"{program} post_up", f"{program}\tthen"],
            pre_down=[f"{program} pre_down"], post_down=[f"{program} post_down"]))
        desired["peers"].insert(0, {"name": "bert", "tunnel": name, "public_key": bench.public, "allowed_ips": ["10.51.0.2/32"]})
        return desired

    def peers():
        return run("ip", "netns", "exec", bench.gateway, "wg", "show", name, "peers").split()

    def failed():
        return any("its pre_up failed" in reason for reason in (bench.controller.report or {})["reasons"])

    def owed():
        try:
            return any(json.loads(bench.text("run/hooks/" + file))["owes"] for file in os.listdir(bench.dir + "/run/hooks")
                       if file.endswith(".json"))
        except FileNotFoundError:
            return True  # it has gone meanwhile

    def quiet():
        """For longer than news wait to be looked at."""
        looks = bench.metric("holdfast_plan_looks_total")
        time.sleep(QUIET_S)
        return bench.metric("holdfast_plan_looks_total") == looks

    def again(cut_off=False, **changes):
        if not cut_off:
            until("what it did is written down", lambda: not owed())
        bench.stop(signal.SIGKILL)
        bench.start(**changes)
        until("it looked", lambda: bench.metric("holdfast_plan_looks_total"))

    up, down = ["pre_up away", "post_up there", "then there"], ["pre_down there", "post_down away"]
    touch("pre_up.fails")
    bench.apply(with_hooks())
    until("that it failed is told", failed)
    assert name not in bench.ip("link") and set(ran()) == {up[0]}, ran()
    until("it is tried again", lambda: len(ran()) > 1)
    run("ip", "netns", "exec", bench.gateway, "wireguard-go", name)  # somebody else makes it: there is nothing to tell any more
    until("it is fit", lambda: bench.controller.report["fit"] and bench.has_address(name, "10.51.0.1/24"))
    assert not failed() and set(ran()) == {up[0]}, ran()
    assert bench.log().count(" hook-failed ") == 1, "told at each try"
    until("it has looked at all of it", quiet)  # a look that has begun would make it anew by itself
    bench.ip("link", "del", name)
    until("that it failed is told again", failed)
    os.unlink(bench.dir + "/pre_up.fails")
    os.unlink(lines)
    until("they ran", lambda: ran() == up)
    until("it is fit", lambda: (bench.controller.report or {}).get("fit"))
    assert bench.has_address(name, "10.51.0.1/24") and peers() == [bench.public]
    again(programs="deny")
    error = bench.stage(with_hooks())["error"]
    assert f"tunnel {name}: pre_up: {bench.dir}/agent.yaml does not allow the fleet to run {program} here" in error, error
    again()
    assert ran() == up, ran()
    touch("pre_down.hangs")
    bench.apply(bench.desired())
    until("it waits for its hook", lambda: ran()[3:] == down[:1])
    assert name in bench.ip("link") and not peers() and bench.get("/livez")[0] == 200
    os.unlink(bench.dir + "/pre_down.hangs")
    again(cut_off=True)
    until("what was cut off is done again", lambda: ran()[4:] == down)
    assert name not in bench.ip("link")
    until("nothing of it is left", lambda: not os.listdir(bench.dir + "/run/hooks"))
    touch("post_up.hangs")
    bench.apply(with_hooks())
    until("it is made", lambda: ran()[6:] == up[:2])
    os.unlink(bench.dir + "/post_up.hangs")
    again(cut_off=True)
    until("what was cut off is done again", lambda: ran()[8:] == up[1:])
    bench.apply(bench.desired())
    until("they ran", lambda: ran()[10:] == down)
    assert not any(word in command for command in bench.running() for word in (b"told", b"sleep\x00300"))
    # Name servers: between making and post_up, told once to resolvconf, taken back before it goes; others when they change.
    until("nothing of it is left", lambda: not os.listdir(bench.dir + "/run/hooks"))
    os.unlink(lines)
    again(path=bench.dir + "/bin")
    bench.apply(with_hooks("10.51.0.53", "corp.example"))
    set_first = "-a nameserver 10.51.0.53 search corp.example there"
    until("they are set", lambda: ran() == [up[0], set_first, *up[1:]])
    again(path=bench.dir + "/bin")
    bench.apply(with_hooks("10.51.0.54"))
    until("others are set", lambda: ran()[4:] == ["-d there", "-a nameserver 10.51.0.54 there"])
    touch("dns.fails")
    bench.apply(with_hooks("10.51.0.55"))
    until("a failure is told", lambda: f"{name}: its name servers are not set: resolvconf ended with status 4" in bench.log())
    # That they cannot be taken back keeps no tunnel; the next agent does it.
    before = len(ran())
    bench.apply(bench.desired())
    until("the tunnel goes without", lambda: ran()[before:] == [down[0], "-d there", "-d away", down[1]])
    os.unlink(bench.dir + "/dns.fails")
    again(path=bench.dir + "/bin")
    until("they are taken back", lambda: ran()[before + 4:] == ["-d away"])
    until("nothing of it is left", lambda: not os.listdir(bench.dir + "/run/hooks") and not any(
        file.endswith(".json") for file in os.listdir(bench.dir + "/run/dns")))


TESTS = [test_programs_are_told, test_hooks_run_around_a_tunnel]


def main():
    """Each stands on what was done before it."""
    bench = Bench()
    bench.begin()
    run_all(TESTS, bench, log=bench.log)


main()
