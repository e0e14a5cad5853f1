# SPDX-License-Identifier: GPL-2.0-or-later
"""No controller lives, and the owner dies: the other gateway succeeds it by itself, and the controller that comes back agrees.
Two clients, one over IPv4 and one over IPv6, ping all the time. About 20 s."""
import re
import time

from hard_faults import local_events, lose_controller, orders, successions
from labtest import apply_peer, expect, run, running_scene, stood_still, wait_for
from lab import network
from lab.pings import LAN
from lab.scene import GATEWAYS

ADDRESS, ADDRESS6 = "10.50.0.66", "fd50::66"
WORST_MS = 800


def controller_and_owner():
    with running_scene() as scene:
        six = scene.new_client("six", 6, ADDRESS, address6=ADDRESS6, dial=network.DIAL6)
        apply_peer(scene, "six", f'  six: {{ public_key: "{six.public}", allowed_ips: [{ADDRESS}/32, "{ADDRESS6}/128"] }}\n')
        six.connect()
        wait_for("the IPv6 client reaches the LAN", 10, lambda: six.reaches(network.LAN_HOST))
        pinger = six.pinger(scene.interval_ms)
        try:
            for name, before_s in (("one after the other", 1), ("at once", 0)):
                succession(scene, name, before_s, {"IPv4": scene.pings, "IPv6": pinger})
        finally:
            pinger.stop()


def succession(scene, name, before_s, pingers):
    """The controller dies so many seconds before the owner, which is less than it stays away."""
    wait_for("both sessions are known", 30, lambda: scene.controller.view().get("sessions") == 2)
    scene.controller.wait_ready(GATEWAYS)
    owner = scene.gateways[scene.owner()]
    heir = scene.other(owner.name)
    last, stalls = scene.controller.last_event(), stood_still(scene)
    lose_controller(scene)
    time.sleep(before_s)
    began = time.time()
    owner.power_off()
    died = time.time()
    for family, pinger in pingers.items():
        wait_for(f"{name}: the {family} client is served again", 20, lambda: pinger.answered_since(died + 0.2) > 20)
    judge(scene, name, {family: pinger.window(began, time.time(), LAN) for family, pinger in pingers.items()}, stalls)
    told_by_the_agent(heir)
    agrees(scene, last, owner, heir)
    owner.power_on()


def judge(scene, name, windows, stalls):
    gap_ms = max(window.outage_ms for window in windows.values())
    late_ms = max(scene.pings.worst_wait_ms(*window.outage) for window in windows.values())
    print(f"{name}: " + ", ".join(f"{family} gap {window.outage_ms:.0f} ms" for family, window in windows.items()) +
          f", a program waited {late_ms:.0f} for its turn")
    if stood_still(scene) > stalls:
        print("not judged, this machine stood still")
        return
    expect(gap_ms <= WORST_MS + late_ms, f"{name}: a gap of {gap_ms:.0f} ms")


def told_by_the_agent(heir):
    """Its own socket tells at once, without any controller."""
    said = successions(heir)
    expect(said, f"{heir.name} does not tell of a succession: {local_events(heir)}")
    expect("no controller answers" in said[-1]["text"], said[-1]["text"])


def agrees(scene, last, owner, heir):
    """A controller that is back adopts the successor, moves nothing, and tells what happened meanwhile."""
    wait_for("the controller is back", 60, lambda: scene.controller.owner() == heir.name)
    takeover = scene.controller.wait_event(last, "takeover", heir.name)
    expect(takeover["cause"] == "no-controller" and takeover["from"] == owner.name, f"told as {takeover}")
    expect(re.fullmatch(r"\d+\.\d+\.[1-9]\d*", takeover["epoch"]), f"under epoch {takeover['epoch']}")
    expect(takeover.get("back") == 2, f"{takeover.get('back')} of 2 sessions are back")
    events = scene.controller.events(last)
    expect([e for e in events if e["event"] == "succession" and e["gateway"] == heir.name], "its report of the succession")
    expect(not orders(scene, last), f"it was moved once more: {events}")


def nobody_succeeds_one_that_answers_for_the_address():
    """A packet filter lets nothing but ARP and ND of the other gateway through: the owner looks dead to it, and is not."""
    with running_scene() as scene:
        scene.controller.wait_ready(GATEWAYS)
        owner = scene.gateways[scene.owner()]
        heir = scene.other(owner.name)
        lose_controller(scene)
        place = network.PLACES[heir.name]
        owner.machine.run("nft", "-f", "-", text=f"""
            table inet strangers {{
              chain in {{
                type filter hook input priority -500
                ip saddr {place.outer_address} drop
                icmpv6 type {{ nd-neighbor-solicit, nd-neighbor-advert }} accept
                ip6 saddr {place.outer_address6} drop
              }}
              chain out {{
                type filter hook output priority -500
                ip daddr {place.outer_address} drop
                icmpv6 type {{ nd-neighbor-solicit, nd-neighbor-advert }} accept
                ip6 daddr {place.outer_address6} drop
              }}
            }}""")
        wait_for("the owner looks dead", 20, lambda: lose_controller(scene) or heard(scene, heir, f"{owner.name} is dead"))
        end = time.time() + 2                                 # in which a succession would come, were it not for the answers
        wait_for("the rest of that time", 20, lambda: lose_controller(scene) or time.time() > end)
        expect(heard(scene, heir, "address-answered"), "nobody was asked for the address")
        expect(not successions(heir), "a live owner was succeeded")
        expect(scene.steady(), "the clients are not served")
        owner.machine.run("nft", "delete", "table", "inet", "strangers")
        wait_for("the controller is back, and agrees", 60, lambda: scene.controller.owner() == owner.name)


def heard(scene, gateway, words):
    with open(scene.files.log(gateway.name), encoding="utf-8", errors="replace") as log:
        return words in log.read()


run(controller_and_owner, nobody_succeeds_one_that_answers_for_the_address)
