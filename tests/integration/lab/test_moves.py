# SPDX-License-Identifier: GPL-2.0-or-later
"""Planned moves lose nothing: two clients, one over IPv4 and one over IPv6, ping two hosts every 5 ms while the endpoint moves to and fro."""
import time

from labtest import STILL_MS, apply_peer, expect, run, running_scene, stood_still, wait_for
from lab import network
from lab.pings import FAR, LAN
from lab.scene import GATEWAYS, HOME

ADDRESS, ADDRESS6, INTERVAL_MS, MOVES, LEAD_MS = "10.50.0.66", "fd50::66", 5, 4, 500
JUDGED = []


def nothing_is_lost():
    with running_scene(interval_ms=INTERVAL_MS) as scene:
        six = scene.new_client("six", 6, ADDRESS, address6=ADDRESS6, dial=network.DIAL6)
        apply_peer(scene, "six", f'  six: {{ public_key: "{six.public}", allowed_ips: [{ADDRESS}/32, "{ADDRESS6}/128"] }}\n')
        six.connect()
        wait_for("the IPv6 client reaches the LAN", 10, lambda: six.reaches(network.LAN_HOST))
        wait_for("both sessions are known", 10, lambda: scene.controller.view().get("sessions") == 2)
        pinger = six.pinger(INTERVAL_MS)
        try:
            time.sleep(1)                                     # of pings before the first move, to have something to lose
            for number in range(MOVES):
                move(scene, {"IPv4": scene.pings, "IPv6": pinger}, number)
            expect(len(JUDGED) >= MOVES / 2, f"this machine stood still during {MOVES - len(JUDGED)} of {MOVES} moves")
        finally:
            pinger.stop()


def move(scene, pingers, number):
    target = scene.other(HOME).name if number % 2 == 0 else HOME
    scene.controller.wait_ready(GATEWAYS)
    if scene.owner() == target:                               # this machine stood still for so long that it moved by itself
        return
    stalls = stood_still(scene)
    last, began = scene.controller.last_event(), time.time()
    scene.controller.holdfast("move", scene.controller.endpoint, target)
    scene.controller.wait_owner(target)
    back = scene.controller.wait_event(last, "takeover", target)
    expect(back.get("back") == 2, f"move {number + 1} to {target}: {back.get('back')} of 2 sessions are back")
    time.sleep(4)                                             # the old owner has let go of everything by then
    end = time.time()
    for pinger in pingers.values():
        pinger.settle(end)
    late = max(pinger.late_ms(began - LEAD_MS / 1000, end)[-1] for pinger in pingers.values())
    if late > STILL_MS or stood_still(scene) > stalls:
        print(f"move {number + 1} to {target}: not judged, this machine stood still")
        return
    JUDGED.append(number)
    for family, pinger in pingers.items():
        for where, name in ((LAN, "the LAN"), (FAR, "the far host")):
            window = pinger.window(began - LEAD_MS / 1000, end, where)
            expect(window.sent > 500, f"only {window.sent} pings were sent")
            expect(not window.lost, f"move {number + 1} to {target}: {family} lost {window.lost} of {window.sent} to {name}, the first "
                   f"{(window.first_lost or 0) * INTERVAL_MS - LEAD_MS} ms after it was asked for")
            print(f"move {number + 1} to {target}: {family} to {name}: 0 of {window.sent} lost")


def without_steering_it_moves_and_says_so():
    with running_scene() as scene:
        owner, target = scene.gateways[HOME], scene.other(HOME).name
        last = scene.controller.last_event()
        # Sessions made before the table that learns them are not known to be ours.
        owner.machine.run("nft", "delete", "table", "netdev", f"holdfast-steer-{network.PLACES[HOME].wan}")
        wait_for("the table is back", 40, lambda: "holdfast-steer" in owner.machine.run("nft", "list", "tables"))
        scene.controller.holdfast("move", scene.controller.endpoint, target)
        scene.controller.wait_owner(target)
        said = [event for event in scene.controller.events(last) if "cannot steer" in event.get("text", "")]
        expect(len(said) == 1, f"one line says that it moves without steering, not {len(said)}")


run(nothing_is_lost, without_steering_it_moves_and_says_so)
