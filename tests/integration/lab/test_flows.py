# SPDX-License-Identifier: GPL-2.0-or-later
"""TCP outlives its gateway: a transfer that is translated to the inside address, and one that is not, both through an administrator's
rules that let nothing pass but what is established and what begins. They go on after a power cut and after a planned move."""
import re

from labtest import expect, run, running_scene, wait_for
from stream import Stream
from lab import network
from lab.scene import CLIENT_ADDRESS, GATEWAYS, HOME

LAN_PORT, CLIENT_PORT = 5201, 5202
GOES_ON = 200      # pieces: a second of them
# A segment in the middle of a connection that this kernel knows nothing of is neither.
STRICT = """
    table inet strict {
      chain forward {
        type filter hook forward priority 10; policy drop
        ct state established,related accept
        tcp flags & (fin|syn|rst|ack) == syn accept
        meta l4proto { icmp, ipv6-icmp } accept
      }
    }"""


def streams_go_on():
    with running_scene() as scene:
        for gateway in scene.gateways.values():
            gateway.machine.run("nft", "-f", "-", text=STRICT)
        lan, client = scene.network.machines["lan"], scene.client.machine
        streams = {"translated": Stream(lan, client, network.LAN_HOST, LAN_PORT), "plain": Stream(client, lan, CLIENT_ADDRESS, CLIENT_PORT)}
        try:
            wait_for("both transfers run", 20, lambda: going(streams, {name: 0 for name in streams}))
            only_the_pool_may_ask(scene)
            after(scene, streams, "a power cut", lambda: power_cut(scene))
            scene.gateways[HOME].power_on()
            scene.gateways[HOME].machine.run("nft", "-f", "-", text=STRICT)
            after(scene, streams, "a planned move", scene.go_home)
        finally:
            for stream in streams.values():
                stream.stop()


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


def power_cut(scene):
    scene.gateways[HOME].power_off()
    scene.controller.wait_owner(scene.other(HOME).name)


def after(scene, streams, what, move):
    scene.controller.wait_ready(GATEWAYS)
    wait_for("the standby has the owner's connections", 60, lambda: is_mirrored(scene))
    for stream in streams.values():
        stream.worst_ms()
    move()
    before = {name: stream.pieces for name, stream in streams.items()}
    wait_for(f"both transfers go on after {what}", 30, lambda: going(streams, before))
    for name, stream in streams.items():
        print(f"after {what}: the {name} transfer goes on, its longest wait was {stream.worst_ms()} ms")


def going(streams, before):
    for name, stream in streams.items():
        expect(not stream.ended, f"the {name} transfer {stream.ended}")
    return all(stream.pieces > before[name] + GOES_ON for name, stream in streams.items())


def is_mirrored(scene):
    """Two transfers and two pings at least are known on both sides, and as many of them."""
    owner = scene.owner()
    told, mirrored = flows(scene, owner, "told"), flows(scene, scene.other(owner).name, "mirrored")
    return told == mirrored and told >= 4


def flows(scene, name, kind):
    address = network.PLACES[name].management_address
    text = scene.network.machines["ctl"].run("curl", "-s", f"http://{address}:9581/metrics", check=False)
    found = re.search(rf'^holdfast_flows_{kind}{{endpoint="vpn"}} (\d+)$', text, re.M)
    return int(found.group(1)) if found else -1


run(streams_go_on)
