# SPDX-License-Identifier: GPL-2.0-or-later
"""Judgement: an owner whose check fails, or that another firewall keeps from forwarding, is moved away from and gets its endpoint
back once it is well; the third time, for a firewall that only a packet notices, it has to wait. A target that is dead for
everybody moves nothing. About 25 seconds."""
from labtest import change_fleet, expect, nothing_lost, run, running_scene, wait_for
from lab import network
from lab.scene import GATEWAYS, HOME

CHECK = f"{{ ping: {network.LAN_HOST}, interface: lan, <<: *lan }}"
TIMES = "x-lan: &lan { every: 100ms, timeout: 100ms, fall: 3, rise: 3 }"


def with_checks(text):
    text = text.replace("preempt: never", "preempt: 1s").replace("\ngateways:", f"\n{TIMES}\ngateways:", 1)
    return text.replace("    witness:", f"    checks: [ {CHECK} ]\n    witness:", 1)


def refuse(scene, *gateways):
    """The LAN's host answers no ping of these gateways' own."""
    addresses = ", ".join(network.PLACES[name].lan_address for name in gateways)
    scene.network.machines["lan"].run("nft", "-f", "-", text=f"""
        table ip quiet {{
          chain in {{ type filter hook input priority 0; icmp type echo-request ip saddr {{ {addresses} }} drop; }}
        }}""")


def answer(scene):
    scene.network.machines["lan"].run("nft", "delete", "table", "ip", "quiet")


def line(scene, after, *words):
    """An event whose text has all these words."""
    def found():
        return next((e["text"] for e in scene.controller.events(after) if all(word in e["text"] for word in words)), None)
    text = wait_for(f"an event with {words}", 10, found)
    print(text)
    return text


def logged(scene, name, words):
    with open(scene.files.log(name), encoding="utf-8", errors="replace") as log:
        return words in log.read()


def has_proven(gateway):
    """It has sent a packet through itself."""
    place = network.PLACES[gateway.name]
    metrics = gateway.machine.run("curl", "-s", f"http://{place.management_address}:9581/metrics")
    return f'holdfast_forwarding_proven_seconds{{tunnel="wg0",interface="{place.lan}",family="ipv4"}} ' in metrics


def proven_by_both(scene):
    for name in GATEWAYS:
        wait_for(f"{name} has proven that it forwards", 15, lambda gateway=scene.gateways[name]: has_proven(gateway))


def impaired_by_its_check(scene):
    last, other = scene.controller.last_event(), scene.other(HOME).name
    with nothing_lost(scene, "moved for a check, and back"):
        refuse(scene, HOME)
        scene.controller.wait_owner(other)
        line(scene, last, f"{HOME}: vpn: ping {network.LAN_HOST} on eth1 fails: no answer within 100 ms")
        line(scene, last, f"{HOME} serves vpn worse than it should: ping {network.LAN_HOST} on eth1: no answer within 100 ms")
        order = scene.controller.wait_event(last, "order", other)
        expect(order["cause"] == "impaired", f"it moved because of {order['cause']}")
        answer(scene)
        scene.controller.wait_owner(HOME)
        line(scene, last, f"{HOME}: vpn: ping {network.LAN_HOST} on eth1 is well again")
    expect(logged(scene, HOME, "fails: no answer within 100 ms"), "the gateway's own log does not tell it")


def dead_for_everybody(scene):
    last = scene.controller.last_event()
    refuse(scene, *GATEWAYS)
    for name in GATEWAYS:
        line(scene, last, f"{name}: vpn: ping {network.LAN_HOST}", "fails")
    wait_for("the standby is a second choice", 10, lambda: f"is a second choice: ping {network.LAN_HOST}" in scene.controller.holdfast("status"))
    answer(scene)
    scene.controller.wait_ready(GATEWAYS)
    expect(not [e for e in scene.controller.events(last) if e["event"] == "order"], "it moved, to nobody's good")


def kept_from_forwarding(scene):
    """As Debian's nftables.service loads it: our tables go in the same transaction."""
    gateway, last, other = scene.gateways[HOME], scene.controller.last_event(), scene.other(HOME).name
    gateway.machine.run("nft", "-f", "-", text="""
        flush ruleset
        table ip filter {
          chain FORWARD { type filter hook forward priority 0; policy drop; }
        }""")
    scene.controller.wait_owner(other)
    line(scene, last, f"{HOME} serves vpn worse than it should: what comes in by wg0 is not forwarded to eth1: ip filter FORWARD", "drops it")
    gateway.machine.run("nft", "delete table ip filter")
    line(scene, last, f"{HOME}: vpn: packets are forwarded again")
    scene.controller.wait_owner(HOME)


def drop_unseen(gateway):
    """iptables-legacy is not in nftables' ruleset: only a packet notices."""
    gateway.machine.run("iptables-legacy", "-A", "FORWARD", "-i", "wg0", "-j", "DROP")


def pass_again(gateway):
    gateway.machine.run("iptables-legacy", "-F", "FORWARD")


def held_down(scene):
    last, other = scene.controller.last_event(), scene.other(HOME).name
    drop_unseen(scene.gateways[HOME])
    scene.controller.wait_owner(other)
    line(scene, last, f"{HOME}: vpn: packets sent in by wg0 no longer come out by eth1")
    line(scene, last, f"{HOME} loses vpn again and again: for 60 s it gets it only if nobody else can")
    expect("holdfast_catch" not in scene.gateways[HOME].machine.run("nft", "list", "tables"), "the table that catches packets is left over")
    pass_again(scene.gateways[HOME])    # a standby by now, which proves it as well
    line(scene, last, f"{HOME}: vpn: packets are forwarded again")
    wait_for("the status says until when", 10, lambda: f"{HOME} is a second choice for " in scene.controller.holdfast("status"))
    scene.gateways[other].power_off()
    scene.controller.wait_owner(HOME)   # better than none
    print("with the other one dead it has it all the same")
    scene.gateways[other].power_on()
    scene.controller.wait_ready(GATEWAYS[:1])


def judged():
    with running_scene() as scene:
        scene.controller.wait_ready(GATEWAYS)
        change_fleet(scene, with_checks)
        scene.controller.wait_owner(HOME)
        scene.controller.wait_ready(GATEWAYS)
        proven_by_both(scene)
        impaired_by_its_check(scene)
        dead_for_everybody(scene)
        kept_from_forwarding(scene)
        held_down(scene)


run(judged)
