# SPDX-License-Identifier: GPL-2.0-or-later
"""TCP goes on after a planned move (after a power cut: test_clients), and meanwhile, where a client is gone and is waited for. Only the pool is
told of connections. About 25 s."""
import time

from labtest import apply_peer, expect, run, running_scene, stood_still, wait_for
from transfers import Transfers, be_strict
from lab import network
from lab.scene import GATEWAYS, HOME

ADDRESS, PULL_S, STALL_MS = "10.50.0.66", 2, 1000      # PULL_S: a client that is gone is waited for so long
# The owner is not reached at the first address that the fleet has for it: its standby asks at the next.
IPV6_ONLY = """
    table inet ipv6_only {
      chain input {
        type filter hook input priority 0
        ip protocol tcp tcp dport 7444 reject with tcp reset
      }
    }"""


def streams_go_on():
    with running_scene() as scene:
        for gateway in scene.gateways.values():
            be_strict(gateway)
        transfers = Transfers(scene)
        try:
            only_the_pool_may_ask(scene)
            scene.other(HOME).machine.run("nft", "-f", "-", text=IPV6_ONLY)
            one_is_gone(scene)
            goes_on_after_a_move(scene, transfers, scene.other(HOME).name, "a planned move, with one client gone", STALL_MS)
            goes_on_after_a_move(scene, transfers, HOME, "the move back, mirrored over IPv6")
        finally:
            transfers.stop()


def one_is_gone(scene):
    client = scene.new_client("gone", 6, ADDRESS)
    apply_peer(scene, "gone", client.peer_line("gone"))
    client.connect()
    wait_for("the second client reaches the LAN", 10, lambda: client.reaches(network.LAN_HOST))
    wait_for("both sessions are known", 10, lambda: scene.controller.view().get("sessions") == 2)
    client.machine.links_down()


def goes_on_after_a_move(scene, transfers, to, what, most_ms=None):
    """`most_ms`: so long it may stand still, if this machine did not."""
    stalls = stood_still(scene)
    scene.controller.wait_ready(GATEWAYS)
    transfers.wait_mirrored()
    began = time.time()
    scene.controller.move(to)
    expect(not most_ms or time.time() - began > PULL_S, "it moved at once: nobody was waited for")
    transfers.mark()
    transfers.wait_going(f"go on after {what}")
    for name, worst_ms in transfers.worst_ms().items():
        print(f"after {what}: the {name} transfer goes on, its longest wait was {worst_ms} ms")
        expect(not most_ms or worst_ms <= most_ms or stood_still(scene) > stalls, f"the {name} transfer stood still for {worst_ms} ms")


def only_the_pool_may_ask(scene):
    owner, standby = scene.owner(), scene.other(scene.owner()).name
    wait_for("a member of the pool is answered", 10, lambda: ask(scene, owner, standby) == "200")
    expect(ask(scene, owner, standby, "endpoint=other") == "404", "an endpoint that is none was answered for")
    expect(ask(scene, owner, standby, "endpoint=vpn&after=1:2") == "400", "a position that is none was taken")
    expect(ask(scene, standby, owner) == "409", "a standby told of connections")
    expect(ask(scene, owner, "ctl", certificate="alice") == "403", "an operator was told of connections")
    expect(ask(scene, owner, standby, certificate=None) == "000", "somebody without a certificate was told of connections")


def ask(scene, whom, host, query="endpoint=vpn", certificate=""):
    """The status of an answer, asked with that host's certificate, or another one on its disk; 000: there was none."""
    etc = scene.files.path(host, "etc")
    who = f"{etc}/{certificate or host}"
    shown = [] if certificate is None else ["--cert", f"{who}.pem", "--key", f"{who}.key"]
    machine = scene.network.machines[scene.other(whom).name]
    return machine.run("curl", "-sk", "-m", "5", "-o", "/dev/null", "-w", "%{http_code}", *shown,
                       f"https://{network.PLACES[whom].outer_address}:7444/v1/pool/flows?{query}", check=False).strip()


run(streams_go_on)
