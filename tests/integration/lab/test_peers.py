# SPDX-License-Identifier: GPL-2.0-or-later
"""A peer added to the fleet file connects through whichever gateway owns the endpoint, before and after a failover;
one that is removed is cut off on all gateways."""
from labtest import apply_peer, expect, run, running_scene, wait_for
from lab.network import FAR_HOST, LAN_HOST
from lab.scene import GATEWAYS, HOME

ADDRESS = "10.50.0.77"


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
        scene.controller.holdfast("move", "vpn", HOME)
        scene.controller.wait_owner(HOME)
        expect(not guest.reaches(LAN_HOST), "a removed peer reaches the LAN through the other gateway")
        reaches_everything(scene.client, "after all that")


def reaches_everything(client, when):
    for address in (LAN_HOST, FAR_HOST):
        wait_for(f"{client.machine.name} reaches {address} {when}", 20, lambda: client.reaches(address))


run(a_peer_comes_and_goes)
