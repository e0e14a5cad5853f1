# SPDX-License-Identifier: GPL-2.0-or-later
"""A peer added to the fleet file connects through whichever gateway owns the endpoint, before and after a failover;
one that is removed is cut off on all gateways, and on one that was away when that happened, though no controller tells it."""
import json
import os
import time

from labtest import apply_peer, expect, programs, run, running_scene, wait_for
from lab.network import FAR_HOST, LAN_HOST
from lab.scene import GATEWAYS, HOME

ADDRESS, ALONE_S = "10.50.0.77", 2      # longer than a succession takes


def has_peer(gateway, client):
    return client.public in gateway.machine.run("wg", "show", "wg0", "peers")


def a_peer_comes_and_goes():
    with running_scene() as scene:
        guest = scene.new_client("guest", 2, ADDRESS)
        guest.connect()
        expect(not guest.reaches(LAN_HOST), "a client that is no peer reaches the LAN")

        apply_peer(scene, "guest", f'  guest: {{ public_key: "{guest.public}", allowed_ips: [{ADDRESS}/32] }}\n')
        for name, gateway in scene.gateways.items():
            expect(has_peer(gateway, guest), f"{name} does not know the new peer")
        reaches_everything(guest, "through the first owner")
        wait_for("both sessions are known", 10, lambda: scene.controller.view().get("sessions") == 2)

        scene.gateways[HOME].power_off()
        other = scene.other(HOME)
        scene.controller.wait_owner(other.name)
        reaches_everything(guest, "after a failover")
        reaches_everything(scene.client, "after a failover")

        scene.gateways[HOME].power_on()
        scene.controller.wait_ready(GATEWAYS)
        expect(has_peer(scene.gateways[HOME], guest), "a gateway that came back does not know the new peer")

        apply_peer(scene, "guest", "")
        for name, gateway in scene.gateways.items():
            expect(not has_peer(gateway, guest), f"{name} still knows the removed peer")
        expect(not guest.reaches(LAN_HOST), "a removed peer still reaches the LAN")
        scene.controller.move(HOME)
        expect(not guest.reaches(LAN_HOST), "a removed peer reaches the LAN through the other gateway")
        reaches_everything(scene.client, "after all that")

        apply_peer(scene, "guest", guest.peer_line("guest"))
        reaches_everything(guest, "when it is a peer again")
        removed_while_one_was_away(scene, guest)


def told_by(gateway):
    """What its agent's own socket says."""
    out = gateway.machine.run(os.path.join(programs(), "holdfast"), "status", "--json", check=False)
    return json.loads(out) if out else {}


def removed_while_one_was_away(scene, guest):
    """It comes back when the controller is dead; then the owner dies, too."""
    owner = scene.gateways[scene.owner()]
    away = scene.other(owner.name)
    before = told_by(away)["generation"]

    away.agent.stop()                         # so that the controller knows at once
    away.power_off()
    apply_peer(scene, "guest", "")
    floor = scene.controller.status()["floor"]
    expect(floor > before, f"the floor is {floor}, and generation {before} let it in")
    expect(not guest.reaches(LAN_HOST), "a peer that was removed again reaches the LAN")
    scene.controller.service.stop()
    away.power_on()
    wait_for("the owner has told it of the floor", 30, lambda: told_by(away).get("floor") == floor)
    expect(told_by(away)["generation"] == before, "nobody could have brought it the newest generation")

    owner.power_off()
    end = time.time() + ALONE_S
    while time.time() < end:
        expect(not guest.reaches(LAN_HOST), f"a removed peer gets in by {away.name}, which was away")
        expect(told_by(away)["endpoints"][0]["role"] != "serving", f"{away.name} serves below the floor")
    wait_for("it says why it is not ready", 10, lambda: "below the revocation floor" in str(told_by(away)["endpoints"][0]["standing"]))

    owner.power_on()
    scene.controller.start()
    scene.controller.wait_ready(GATEWAYS)
    expect(told_by(away)["generation"] == floor, "it is ready without the newest generation")
    expect(not guest.reaches(LAN_HOST), "a removed peer gets in when all are back")


def reaches_everything(client, when):
    for address in (LAN_HOST, FAR_HOST):
        wait_for(f"{client.machine.name} reaches {address} {when}", 20, lambda: client.reaches(address))


run(a_peer_comes_and_goes)
