# SPDX-License-Identifier: GPL-2.0-or-later
"""Planned moves lose nothing: two clients, one over IPv4 and one over IPv6, ping two hosts every 5 ms while the endpoint moves to and fro, at
leisure, with clients that hear late of their new sessions, and then as fast as it is asked to: a gateway that gets it back within a second must
not go on with the session of before. And the others lose nothing by a client that is gone and answers no gateway. About 38 s."""
import time
from contextlib import contextmanager

from labtest import STILL_MS, apply_peer, expect, run, running_scene, stood_still, wait_for
from lab import network
from lab.pings import FAR, LAN
from lab.scene import GATEWAYS, HOME

ADDRESS, ADDRESS6, INTERVAL_MS, LEAD_MS = "10.50.0.66", "fd50::66", 5, 500
MOVES, MOVES_MAX = 2, 6      # more than two only if this machine stood still during both
CONFIRMATION_BYTES = 8 + 32      # UDP's header and WireGuard's, with nothing between it and the tag
AFTER_S, PULL_S = 2, 2      # PULL_S: whoever does not answer is waited for so long
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
            move(scene, {"IPv4": scene.pings, "IPv6": pinger}, 0)
            with confirmations_are_lost(scene):
                move(scene, {"IPv4": scene.pings, "IPv6": pinger}, 1)
            for number in range(MOVES, MOVES_MAX):
                if not JUDGED:
                    move(scene, {"IPv4": scene.pings, "IPv6": pinger}, number)
            expect(JUDGED, f"this machine stood still during each of {MOVES_MAX} moves")
            to_and_fro_at_once(scene, {"IPv4": scene.pings, "IPv6": pinger})
            one_is_gone(scene, six)
        finally:
            pinger.stop()


@contextmanager
def confirmations_are_lost(scene):
    """The packet without data by which a client hears that its new session stands. It uses the one before until other data comes: what it
    sent is on its way to the old owner while the address moves, as it is with any client that is far away."""
    router = scene.network.machines["nat"]
    router.run("nft", "-f", "-", text=f"""
        table inet confirmations {{
          chain forward {{
            type filter hook forward priority filter
            udp sport {network.PORT} udp length {CONFIRMATION_BYTES} drop
          }}
        }}""")
    yield
    router.run("nft", "delete", "table", "inet", "confirmations")


def move(scene, pingers, number):
    target = scene.other(HOME).name if number % 2 == 0 else HOME
    scene.controller.wait_ready(GATEWAYS)
    if scene.owner() == target:                               # this machine stood still for so long that it moved by itself
        return
    stalls = stood_still(scene)
    last, began = scene.controller.last_event(), time.time()
    scene.controller.move(target)
    back = scene.controller.wait_event(last, "takeover", target)
    expect(back.get("back") == 2, f"move {number + 1} to {target}: {back.get('back')} of 2 sessions are back")
    time.sleep(4)                                             # the old owner has let go of everything by then
    if judge(scene, pingers, f"move {number + 1} to {target}", began, stalls):
        JUDGED.append(number)


def judge(scene, pingers, what, began, stalls):
    end = time.time()
    for pinger in pingers.values():
        pinger.settle(end)
    late = max(pinger.late_ms(began - LEAD_MS / 1000, end)[-1] for pinger in pingers.values())
    if late > STILL_MS or stood_still(scene) > stalls:
        print(f"{what}: not judged, this machine stood still")
        return False
    for family, pinger in pingers.items():
        for where, name in ((LAN, "the LAN"), (FAR, "the far host")):
            window = pinger.window(began - LEAD_MS / 1000, end, where)
            expect(window.sent > 500, f"only {window.sent} pings were sent")
            expect(not window.lost, f"{what}: {family} lost {window.lost} of {window.sent} to {name}, the first "
                   f"{(window.first_lost or 0) * INTERVAL_MS - LEAD_MS} ms after it was asked for")
            print(f"{what}: {family} to {name}: 0 of {window.sent} lost")
    return True


def to_and_fro_at_once(scene, pingers):
    """Each move is asked for until it is taken, while the one before is still settling."""
    scene.controller.wait_ready(GATEWAYS)
    stalls = stood_still(scene)
    began, last = time.time(), scene.controller.last_event()
    for target in (scene.other(HOME).name, HOME) * 2:
        wait_for(f"a move to {target} is taken", 20, lambda name=target: not scene.controller.try_holdfast("move", scene.controller.endpoint, name)[0])
        scene.controller.wait_owner(target)
    orders = [event["time_ms"] for event in scene.controller.events(last) if event["event"] == "order" and event.get("to")]
    print(f"to and fro: orders after {[when - orders[0] for when in orders]} ms")
    time.sleep(AFTER_S)      # who went on with a session of before would be deaf for 15 s
    judge(scene, pingers, "to and fro at once", began, stalls)


def one_is_gone(scene, client):
    """Who has moved the others' sessions goes on waking it, and must leave theirs alone."""
    scene.controller.wait_ready(GATEWAYS)
    client.machine.links_down()
    stalls, began, target = stood_still(scene), time.time(), scene.other(scene.owner()).name
    scene.controller.move(target)
    took_s = time.time() - began
    expect(took_s > PULL_S, f"it moved within {took_s:.2f} s: nobody was waited for")
    time.sleep(AFTER_S)      # three more tries to wake it
    judge(scene, {"IPv4": scene.pings}, "one is gone", began, stalls)


def without_steering_it_moves_and_says_so():
    with running_scene() as scene:
        owner, target = scene.gateways[HOME], scene.other(HOME).name
        last = scene.controller.last_event()
        # Sessions made before the table that learns them are not known to be ours.
        owner.machine.run("nft", "delete", "table", "netdev", f"holdfast-steer-{network.PLACES[HOME].wan}")
        wait_for("the table is back", 40, lambda: "holdfast-steer" in owner.machine.run("nft", "list", "tables"))
        scene.controller.move(target)
        said = [event for event in scene.controller.events(last) if "cannot steer" in event.get("text", "")]
        expect(len(said) == 1, f"one line says that it moves without steering, not {len(said)}")


run(nothing_is_lost, without_steering_it_moves_and_says_so)
