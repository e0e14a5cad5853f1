# SPDX-License-Identifier: GPL-2.0-or-later
"""A client that dials the IPv6 address and speaks IPv6 inside the tunnel, through a power cut of the gateway that serves it."""
from labtest import apply_peer, run, running_scene, wait_for
from lab import network
from lab.scene import GATEWAYS, HOME

ADDRESS, ADDRESS6, TUNNEL6 = "10.50.0.66", "fd50::66", "fd50::1"


def over_ipv6():
    with running_scene() as scene:
        client = scene.new_client("six", 6, ADDRESS, address6=ADDRESS6, dial=network.DIAL6)
        apply_peer(scene, "six", f'  six: {{ public_key: "{client.public}", allowed_ips: [{ADDRESS}/32, "{ADDRESS6}/128"] }}\n')
        client.connect()
        reaches(client, "through the first owner")
        wait_for("both sessions are known", 10, lambda: scene.controller.view().get("sessions") == 2)
        scene.gateways[HOME].power_off()
        scene.controller.wait_owner(scene.other(HOME).name)
        reaches(client, "after a failover")
        scene.gateways[HOME].power_on()
        scene.controller.wait_ready(GATEWAYS)


def reaches(client, when):
    """The limit is well below the 15 s that WireGuard's own timers would take."""
    for address in (TUNNEL6, network.LAN_HOST):
        wait_for(f"{address} is reached {when}", 5, lambda: client.reaches(address))


run(over_ipv6)
