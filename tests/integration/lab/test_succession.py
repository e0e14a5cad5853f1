# SPDX-License-Identifier: GPL-2.0-or-later
"""Controller and owner die at once: the other gateway succeeds the owner by itself, under two clients, one over IPv4 and one over IPv6, and the
controller that comes back agrees. Nobody succeeds an owner that answers for its address. (The controller first: test_faults.) About 20 s."""
import time

from hard_faults import adopted, lose_controller, successions
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
            succession(scene, {"IPv4": scene.pings, "IPv6": pinger})
        finally:
            pinger.stop()


def succession(scene, pingers):
    wait_for("both sessions are known", 30, lambda: scene.controller.view().get("sessions") == 2)
    scene.controller.wait_ready(GATEWAYS)
    owner = scene.gateways[scene.owner()]
    heir = scene.other(owner.name)
    last, stalls = scene.controller.last_event(), stood_still(scene)
    lose_controller(scene)
    began = time.time()
    owner.power_off()
    died = time.time()
    for family, pinger in pingers.items():
        wait_for(f"the {family} client is served again", 20, lambda: pinger.answered_since(died + 0.2) > 20)
    judge(scene, {family: pinger.window(began, time.time(), LAN) for family, pinger in pingers.items()}, stalls)
    adopted(scene, heir, last, sessions=2)
    owner.power_on()


def judge(scene, windows, stalls):
    gap_ms = max(window.outage_ms for window in windows.values())
    late_ms = max(scene.pings.waited_ms(*window.outage) for window in windows.values())
    print(*(f"{family} gap {window.outage_ms:.0f} ms" for family, window in windows.items()),
          f"programs waited {late_ms:.0f} for their turns", sep=", ")
    if stood_still(scene) > stalls:
        print("not judged, this machine stood still")
        return
    expect(gap_ms <= WORST_MS + late_ms, f"a gap of {gap_ms:.0f} ms")


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
