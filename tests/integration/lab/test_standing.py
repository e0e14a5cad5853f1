# SPDX-License-Identifier: GPL-2.0-or-later
"""Standing ready: what is broken on the standby is seen in its status, the metrics and /readyz, and so is that it is well again.
A drill moves there and back and loses nothing. Then the owner loses power, and the report tells how that went, until the client
was back. A keepalive of the client is the owner's alone all the while. About 33 seconds."""
import json
import os
import re

from labtest import expect, nothing_lost, programs, run, running_scene, stood_still, wait_for
from lab import network
from lab.scene import GATEWAYS

CONTROLLER = "127.0.0.1:9580"
METRIC = "holdfast_endpoint_ready_standbys"
KEEPALIVE_S = 25
UNCERTAIN_US = 50000      # by how long an echo takes, on a busy machine


def standby_of(scene):
    return scene.other(scene.owner())


def word(scene, name):
    """What the status says of a standby."""
    return next((s for s in scene.controller.view().get("standbys", []) if s["gateway"] == name), {})


def text(scene):
    return scene.controller.holdfast("status")


def ready_metric(scene):
    out = fetch(scene.network.machines["ctl"], CONTROLLER, "metrics")
    found = re.search(rf'^{METRIC}{{endpoint="vpn"}} (\d+)$', out, re.MULTILINE)
    return int(found.group(1)) if found else None


def fetch(machine, listener, path):
    return machine.run("python3", "-c", "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1]).read().decode())",
                       f"http://{listener}/{path}")


def warnings(machine, listener):
    return " ".join(json.loads(fetch(machine, listener, "readyz"))["warnings"])


def broken(scene, standby, what, reason):
    """The standby is not ready for that reason, everywhere where somebody may look; but it would still be ordered to serve."""
    wait_for(f"{what}: {standby.name} is not ready", 15, lambda: reason in str(word(scene, standby.name).get("reasons")))
    said = word(scene, standby.name)
    expect(not said["ready"] and standby.name not in scene.controller.view()["ready"], f"{what}: {said}")
    expect(ready_metric(scene) == 0, f"{what}: the metric says {ready_metric(scene)}")
    expect(f"{standby.name} could take over, but is not ready" in text(scene), f"{what}: {text(scene)}")
    expect(reason in warnings(scene.network.machines["ctl"], CONTROLLER), f"{what}: the controller's /readyz does not warn of it")
    expect(reason in warnings(standby.machine, f"{network.PLACES[standby.name].management_address}:9581"), f"{what}: the gateway's /readyz does not warn of it")
    print(f"{what}: {said['reasons'][0]}")


def well(scene, standby, what):
    wait_for(f"{what}: {standby.name} is ready again", 15, lambda: word(scene, standby.name).get("ready"))
    expect(ready_metric(scene) == 1, f"{what}: the metric says {ready_metric(scene)}")


def breaks_and_mends():
    with running_scene(change=with_keepalive) as scene:
        scene.controller.wait_ready(GATEWAYS)
        standby = standby_of(scene)
        as_configured(scene, "at the start", *scene.gateways.values())
        said = word(scene, standby.name)
        expect(said["could"] and said["ready"] and said["proved_ago_ms"] < 40000, f"at the start: {said}")
        expect(scene.controller.view()["alone"] == "", f"the witness answers: {scene.controller.view()['alone']}")
        lan(scene, standby)
        connections(scene, standby)
        device(scene, standby)
        drill(scene, standby)
        as_configured(scene, "there and back", *scene.gateways.values())
        power_cut(scene, standby)


def with_keepalive(text):
    """The lab's fleet file, alice kept alive."""
    return re.sub(r"^(  alice: .*) }$", rf"\1, persistent_keepalive: {KEEPALIVE_S} }}", text, count=1, flags=re.MULTILINE)


def settings(scene, gateway):
    """Of the client in its device: (endpoint, allowed IPs, keepalive)."""
    rows = (row.split("\t") for row in gateway.machine.run("wg", "show", "wg0", "dump").splitlines()[1:])
    return next((row[2], set(row[3].split(",")), row[7]) for row in rows if row[0] == scene.client.public)


def as_configured(scene, what, *gateways):
    """The same on all, but for the keepalive, which a standby does not have."""
    owner, allowed = scene.owner(), {"10.50.0.2/32", "fd50::2/128"}
    wanted = {gateway.name: str(KEEPALIVE_S) if gateway.name == owner else "off" for gateway in gateways}
    wait_for(f"{what}: keepalives are {wanted}", 10, lambda: all(settings(scene, gateway)[2] == wanted[gateway.name] for gateway in gateways))
    wait_for(f"{what}: all know where the client is", 10, lambda: len({settings(scene, gateway)[0] for gateway in gateways}) == 1)
    for gateway in gateways:
        expect(settings(scene, gateway)[1] == allowed, f"{what}: {gateway.name} has {settings(scene, gateway)}")
    print(f"{what}: keepalives {wanted}")


def lan(scene, standby):
    interface = network.PLACES[standby.name].lan
    standby.machine.ip(f"link set {interface} down")
    broken(scene, standby, "the LAN's interface is down", f"{interface} is down")
    standby.machine.ip(f"link set {interface} up")
    well(scene, standby, "the LAN's interface is up")


def connections(scene, standby):
    standby.machine.run("nft", "-f", "-", text="""
        table inet strangers {
          chain out { type filter hook output priority -500; tcp dport 7444 reject with tcp reset; }
        }""")
    broken(scene, standby, "port 7444 is blocked", "connections is not whole")
    standby.machine.run("nft", "delete", "table", "inet", "strangers")
    well(scene, standby, "port 7444 is open")


def device(scene, standby):
    """Deleted and its name taken: what a repair cannot put right is no readiness, and not even fitness."""
    standby.machine.ip("link del wg0", "link add wg0 type veth peer name wg0-far")
    wait_for("without its device it could not take over", 15, lambda: word(scene, standby.name).get("could") is False)
    expect("wg0" in str(word(scene, standby.name)["reasons"]), word(scene, standby.name))
    expect(ready_metric(scene) == 0, "the metric counts it")
    print(f"no device: {word(scene, standby.name)['reasons'][0]}")
    standby.machine.ip("link del wg0")
    well(scene, standby, "the device is back")


def was_told(scene, name, event):
    """By the controller's beats: without a controller it would take nothing while moves are frozen."""
    with open(scene.files.log(name), encoding="utf-8", errors="replace") as log:
        return any(line.split()[2] == event for line in log if len(line.split()) > 2)


def drill(scene, standby):
    """While the client's own pings go on; and none is made while people have said that nothing shall move."""
    scene.controller.holdfast("freeze")
    wait_for("all have heard of it", 5, lambda: all(was_told(scene, name, "frozen") for name in GATEWAYS))
    expect("FROZEN" in text(scene).splitlines()[0], text(scene))
    code, out, errors = scene.controller.try_holdfast("drill")
    expect(code == 1 and "frozen" in errors and not out, f"drilled although frozen: {code} {out} {errors}")
    scene.controller.holdfast("thaw")
    wait_for("all have heard of that", 5, lambda: all(was_told(scene, name, "thawed") for name in GATEWAYS))
    home = scene.owner()
    with nothing_lost(scene, "a drill"):
        code, out, errors = scene.controller.try_holdfast("drill", "--json", "vpn")
    result = json.loads(out) if out else {}
    expect(scene.owner() == home and result.get("returned"), f"{errors} {result}")
    for move, (start, end) in zip(result["moves"], ((home, standby.name), (standby.name, home)), strict=True):
        expect((move["from"], move["to"], move["sessions"], move["back"], move["clients"]) == (start, end, 1, 1, 1), str(move))
        expect(move["sent"] > 300, str(move))
    if stood_still(scene):
        print("the drill's own count: not judged, this machine stood still")
        return
    expect(code == 0 and result["clean"] and not sum(move["lost"] for move in result["moves"]), str(result))


def power_cut(scene, standby):
    scene.wait_steady()
    last, owner = scene.controller.last_event(), scene.gateways[scene.owner()]
    owner.power_off()
    takeover = scene.controller.wait_event(last, "takeover", standby.name)
    told(scene, standby, takeover["id"], scene.controller.holdfast("report", "--json", takeover["id"]))
    local = standby.machine.run(os.path.join(programs(), "holdfast"), "report", "--json")
    told_there = [row["kind"] for row in json.loads(local)["timeline"] if row["who"] == standby.name]
    expect({"suspected", "verdict", "permit", "announced", "back", "over"} <= set(told_there), f"its own socket tells {told_there}")
    print(scene.controller.holdfast("report"))
    as_configured(scene, "after a power cut", standby)
    owner.power_on()
    scene.go_home()
    as_configured(scene, "and the way back", *scene.gateways.values())


def told(scene, standby, event, text):
    """By everybody who lives: who noticed, who voted, the decision, what followed; all clocks are this machine's."""
    report = json.loads(text)
    expect(report["event"] == event, f"{report['event']} for {event}")
    wanted = [(who, kind) for who in ("ctl", standby.name) for kind in ("suspected", "verdict", "vote")]
    wanted += [("ctl", "decided"), *((standby.name, kind) for kind in ("ordered", "permit", "address", "announced", "back", "over"))]
    rows = {(row["who"], row["kind"]): row for row in reversed(report["timeline"])}      # the first of each
    expect(not set(wanted) - set(rows), f"not told: {set(wanted) - set(rows)}")
    expect(rows[standby.name, "back"]["subject"] == "alice", rows[standby.name, "back"])
    order = [rows["ctl", kind]["after_us"] for kind in ("suspected", "verdict", "decided")]
    order.append(rows[standby.name, "over"]["after_us"] + rows[standby.name, "over"]["uncertain_us"])
    expect(order[0] < order[1] <= order[2] < order[3], f"not in this order: {order}")
    expect(max(row["uncertain_us"] for row in report["timeline"]) < UNCERTAIN_US, "clocks of one machine differ by nothing")


run(breaks_and_mends)
