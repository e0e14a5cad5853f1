# SPDX-License-Identifier: GPL-2.0-or-later
"""What must not be applied: the command says which gateway and what, every agent keeps what it has, no ping is lost."""
import re
import subprocess
import sys
import time

from labtest import expect, run, running_scene, wait_for
from lab import wireguard
from lab.scene import GATEWAYS

_HOLD_PORT = "import socket, time; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('', 51999)); print('bound', flush=True); time.sleep(600)"


def refused(scene, what, change, *words, then=lambda: None):
    """Applies a changed fleet file, which must fail with these words in its message; then checks that nothing happened. A gateway whose
    table is another's is not ready: `then` ends that before it is asked."""
    with open(scene.files.fleet, encoding="utf-8") as file:
        text = file.read()
    changed = change(text)
    expect(changed != text, f"{what}: the test changes nothing")
    path = scene.files.path("ctl", "etc", "changed.yaml")
    scene.files.write("ctl", "etc", "changed.yaml", text=changed)
    began = time.time()
    code, out, errors = scene.controller.try_holdfast("apply", path)
    expect(code == 1, f"{what}: apply ends with {code}: {out}{errors}")
    for word in words:
        expect(re.search(word, errors), f"{what}: the message does not say {word!r}: {errors}")
    then()
    unchanged(scene, what, began)


def unchanged(scene, what, began):
    status = scene.controller.status()
    expect(status["generation"] == 1, f"{what}: the generation is now {status['generation']}")
    expect(all(g["generation"] == 1 for g in status["gateways"]), f"{what}: a gateway has another generation")
    scene.controller.wait_ready(GATEWAYS)
    end = time.time()
    scene.pings.settle(end)
    lost = scene.pings.window(began, end).lost
    expect(not lost, f"{what}: {lost} pings were lost")


def bad_fleets():
    with running_scene() as scene:
        scene.wait_steady()
        refused(scene, "an unknown key", lambda t: t.replace("    witness:", "    witnes:"), r"changed\.yaml:\d+:\d+: ", "witness")
        refused(scene, "not YAML", lambda t: t + "  broken: {\n", r"changed\.yaml:\d+:\d+: ")
        refused(scene, "an unknown gateway", lambda t: t.replace("gateways: [gw-a, gw-b]", "gateways: [gw-a, gw-x]"),
                r"changed\.yaml:\d+:\d+: ", "gw-x")
        refused(scene, "a missing key file", lambda t: t.replace("wg0.key", "nowhere.key"), "gw-[ab]: .*nowhere.key")
        another = wireguard.public_key(wireguard.private_key())
        refused(scene, "a key that does not match", lambda t: re.sub(r'(?s)(wg0:.*?public_key: )"[^"]*"', rf'\1"{another}"', t, count=1),
                "gw-[ab]: .*wg0")
        refused(scene, "a missing interface", lambda t: t.replace("lan: ens4", "lan: ens9"), "gw-b: .*ens9")
        refused_busy_port(scene)
        refused_by_the_kernel(scene)


def refused_busy_port(scene):
    holder = scene.gateways["gw-b"].machine.spawn(sys.executable, "-c", _HOLD_PORT, stdout=subprocess.PIPE, text=True)
    expect(holder.stdout.readline(), "the test cannot hold a port")
    refused(scene, "a busy port", lambda t: t.replace("listen_port: 51820", "listen_port: 51999"), "gw-b: .*51999")
    scene.gateways["gw-b"].machine.run("sh", "-c", "kill $(pgrep -f 51999)", check=False)
    holder.wait()
    holder.stdout.close()


def refused_by_the_kernel(scene):
    """One gateway has a table of that name, of another program's: its kernel says so when it is asked, and both keep what they have."""
    machine = scene.gateways["gw-b"].machine

    def rules():
        return machine.run("nft", "-s", "-t", "list", "ruleset")

    owner = machine.spawn("nft", "-i", stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    owner.stdin.write("add table inet holdfast_groups { flags owner; }\n")
    owner.stdin.flush()
    wait_for("the table is another's", 10, lambda: "holdfast_groups" in rules())
    before = rules()

    def release():
        expect(rules() == before, f"a try has changed the rules: {before}{rules()}")
        gw_a = scene.gateways["gw-a"].machine.run("nft", "list", "tables")
        expect("holdfast_groups" not in gw_a, f"gw-a has rules of what was refused: {gw_a}")
        owner.stdin.close()
        owner.wait()
    refused(scene, "a table of another's", lambda t: re.sub(r"(?m)^peers:$", "groups: { staff: { may_reach: [192.168.1.0/24] } }\npeers:", t)
            .replace('"fd50::2/128"] }', '"fd50::2/128"], groups: staff }'),
            "gw-b: the kernel refuses the rules of groups, table inet holdfast_groups: Operation not permitted: another program owns that table",
            then=release)


run(bad_fleets)
