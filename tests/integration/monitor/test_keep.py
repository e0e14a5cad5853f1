#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""An agent without a fleet keeps the tunnels of `holdfast up`: whatever others undo is put right, and nothing else touched.
Costs 15 s, most of it waiting for conditions."""
import json
import os
import re
import signal
import sys
import time

sys.dont_write_bytecode = True
from keeping import HOLDFAST, Machine, main, run, until  # noqa: E402
from trouble import record  # noqa: E402

EVERYTHING = "AllowedIPs = 0.0.0.0/0, ::/0, 10.88.0.0/16\nEndpoint = 10.9.0.21:4712"
FULL = "Address = 10.60.0.1/24, fd60::1/64\nDNS = 10.60.0.53, example.test"
# PostUp takes a route away and sets an MTU: both were meant.
OTHER = ("Address = 10.61.0.1/24\nTable = 99\nPostUp = ip route del 10.90.0.0/16 dev %i table 99\n"
         "PostUp = ip link set mtu 1333 dev %i")
OTHER_PEER = "AllowedIPs = 10.89.0.0/16, 10.90.0.0/16\nEndpoint = 10.9.0.22:4712"


def rules_are_there(machine):
    """Before the one of others that has priority 100."""
    return all("98:" in text and "99:" in text for text in (machine.ip("rule"), machine.ip("-6", "rule")))


def routes_are_there(machine):
    return "default" in machine.ip("route", "show", "table", "51820", check=False) and \
        "default" in machine.ip("-6", "route", "show", "table", "51820", check=False) and \
        "proto 158" in machine.ip("route", "show", "10.88.0.0/16")


def tables(machine):
    """All of the tunnels' tables, in whatever order they and their addresses came. wireguard-go's link-local address comes and
    goes with its link."""
    text = "".join(line for line in machine.inside("nft", "list", "ruleset").splitlines(True) if " fe80:" not in line)
    return sorted(sorted(table.splitlines()) for table in re.findall(r"table ip6? wg-quick-\S+ \{.*?\n\}", text, re.S))


def test_set_up(machine):
    """The file is forgotten afterwards: what counts is what `up` read."""
    machine.start()
    assert not machine.ask("/v1/status")["tunnels"] and machine.ready()["ready"]
    machine.full = machine.write("f", FULL, EVERYTHING)
    machine.other = machine.write("o", OTHER, OTHER_PEER)
    for name in (machine.full, machine.other):
        machine.up(name)
        machine.quiet(name)
    machine.write("f", "Address = 10.66.6.6/24\nMTU = 1400", "AllowedIPs = 10.66.0.0/16")
    assert not machine.said(), "`up` is no repair"
    machine.before, machine.tables = machine.foreign(), tables(machine)
    assert len(machine.tables) == 2
    for file in os.scandir(next(entry.path for entry in os.scandir(machine.dir + "/run/quick") if entry.is_dir())):
        if file.name.endswith(".lock"):
            continue  # comes and goes with each look
        text = open(file.path).read()
        assert machine.private not in text and "PostUp" not in text, f"{file.name}: {text}"
        assert file.stat().st_mode & 0o777 == 0o600, file.name


def test_rules(machine):
    """What others lost along with us is theirs to put back."""
    def flush():
        machine.ip("rule", "flush")
        machine.ip("-6", "rule", "flush")
    machine.trouble("ip rule flush; ip -6 rule flush", flush, lambda: rules_are_there(machine))
    assert "lookup 77" not in machine.ip("rule") and "32766" not in machine.ip("rule")
    machine.put_rules_back()
    machine.trouble("ip rule del priority 98", lambda: machine.ip("rule", "del", "priority", "98"),
                    lambda: rules_are_there(machine))


def test_firewall(machine):
    def whole():
        return tables(machine) == machine.tables
    machine.trouble("nft flush ruleset", lambda: machine.inside("nft", "flush", "ruleset"), whole)
    machine.inside("nft", "add table inet other; add chain inet other c; add rule inet other c counter accept")
    machine.trouble("nft delete table ip wg-quick-X", lambda: machine.inside("nft", "delete", "table", "ip", "wg-quick-" + machine.full), whole)
    machine.trouble("nft flush chain ip6 wg-quick-X preraw",
                    lambda: machine.inside("nft", "flush", "chain", "ip6", "wg-quick-" + machine.full, "preraw"), whole)


def test_routes(machine):
    def flush():
        machine.ip("route", "flush", "proto", "158", "table", "all")
        machine.ip("-6", "route", "flush", "proto", "158", "table", "all")

    def mended():
        return routes_are_there(machine) and "10.89.0.0/16" in machine.ip("route", "show", "table", "99", check=False)
    machine.trouble("ip route flush proto 158 table all, -6", flush, mended)
    machine.trouble("ip route flush dev X", lambda: machine.ip("route", "flush", "dev", machine.full), mended)
    machine.trouble("ip route flush table 51820", lambda: machine.ip("route", "flush", "table", "51820"), mended)
    assert "10.90" not in machine.ip("route", "show", "table", "99"), "PostUp took it away"


def test_what_networkd_does(machine):
    """As systemd-networkd configures a link anew: every rule and route that it does not know goes. The real one: ../systemd."""
    def act():
        for family in ("-4", "-6"):
            for rule in json.loads(machine.ip("-j", family, "rule")):
                if rule.get("protocol") not in ("kernel", None) and rule["priority"] not in (100, 32766, 32767):
                    machine.ip(family, "rule", "del", "priority", str(rule["priority"]))
            for route in json.loads(machine.ip("-j", family, "route", "show", "table", "all", "proto", "158")):
                machine.ip(family, "route", "del", route["dst"], "dev", route["dev"], "table", str(route.get("table", "main")))
    machine.trouble("networkd removes rules and routes", act, lambda: rules_are_there(machine) and routes_are_there(machine))


def test_addresses(machine):
    def there():
        text = machine.ip("addr", "show", "dev", machine.full)
        return "10.60.0.1/24" in text and "fd60::1/64" in text and routes_are_there(machine) and tables(machine) == machine.tables
    machine.trouble("ip addr del 10.60.0.1/24", lambda: machine.ip("addr", "del", "10.60.0.1/24", "dev", machine.full), there)
    machine.trouble("ip addr flush dev X", lambda: machine.ip("addr", "flush", "dev", machine.full, "scope", "global"), there)


def test_link(machine):
    """As NetworkManager takes a device: down, without addresses, another MTU. The real one: ../systemd."""
    def whole():
        text = machine.ip("addr", "show", "dev", machine.full)
        return "mtu 1420" in text and ",UP" in text and "10.60.0.1/24" in text and "fd60::1/64" in text and \
            routes_are_there(machine)

    def take():
        machine.ip("link", "set", machine.full, "down")
        machine.ip("addr", "flush", "dev", machine.full)
        machine.ip("link", "set", machine.full, "mtu", "1300")
    machine.trouble("ip link set X mtu 1300", lambda: machine.ip("link", "set", machine.full, "mtu", "1300"), whole)
    machine.trouble("ip link set X down", lambda: machine.ip("link", "set", machine.full, "down"), whole)
    machine.trouble("NetworkManager takes the device", take, whole)
    machine.trouble("a hook's MTU is changed", lambda: machine.ip("link", "set", machine.other, "mtu", "1300"),
                    lambda: "mtu 1333" in machine.ip("link", "show", machine.other))


def test_parameters_and_mark(machine):
    """The kernel tells of neither: the next look sees it."""
    key = "net.ipv4.conf.all.src_valid_mark"

    def clear():
        machine.inside("sysctl", "-qw", key + "=0")
        machine.nudge(machine.full)
    machine.trouble("src_valid_mark=0", clear, lambda: machine.inside("sysctl", "-n", key).strip() == "1")

    def syncconf():
        """What wg-quick@.service's reload does: the automatic mark is not in the file."""
        stripped = run("ip", "netns", "exec", machine.host, HOLDFAST, "strip", f"{machine.dir}/{machine.full}.conf")
        with open(machine.dir + "/stripped", "w") as file:
            file.write(stripped.replace("10.66.0.0/16", "0.0.0.0/0, ::/0, 10.88.0.0/16") + "Endpoint = 10.9.0.21:4712\n")
        machine.inside("wg", "syncconf", machine.full, machine.dir + "/stripped")
        machine.nudge(machine.full)
    machine.trouble("wg syncconf takes the mark away", syncconf,
                    lambda: machine.inside("wg", "show", machine.full, "fwmark").strip() == "0xca6c")


def test_name_servers(machine):
    servers = "nameserver 10.60.0.53"
    assert servers in open(machine.resolv).read()

    def rewrite():
        machine.resolv_conf("nameserver 192.0.2.53\n")
        machine.nudge(machine.full)
    machine.trouble("a DHCP client writes resolv.conf", rewrite, lambda: servers in open(machine.resolv).read())
    assert "192.0.2.53" in open(machine.resolv).read()


def test_underlay(machine):
    def mtu(wanted):
        return lambda: f"mtu {wanted}" in machine.ip("link", "show", machine.full) and \
            "mtu 1333" in machine.ip("link", "show", machine.other)
    machine.trouble("the underlay's MTU becomes 1400", lambda: machine.ip("link", "set", "eth0", "mtu", "1400"), mtu(1320))
    machine.trouble("and 1500 again", lambda: machine.ip("link", "set", "eth0", "mtu", "1500"), mtu(1420))
    machine.trouble("a route to the peer with mtu 1360",
                    lambda: machine.ip("route", "add", "10.9.0.21", "dev", "eth0", "mtu", "1360"), mtu(1280))
    machine.trouble("and without", lambda: machine.ip("route", "del", "10.9.0.21"), mtu(1420))
    machine.make_link("wan2", "eth2")
    machine.ip("link", "set", "eth2", "mtu", "1450")
    machine.trouble("the same gateway on another link",
                    lambda: machine.ip("route", "add", "10.9.0.21", "via", "10.9.0.1", "dev", "eth2", "onlink"), mtu(1370))
    machine.trouble("and back", lambda: machine.ip("link", "del", "eth2"), mtu(1420))


def test_another_source_address(machine):
    """Of the same gateway and link: another NAT, another policy further on."""
    def ways():
        return machine.said(r"underlay-changed .*")
    machine.trouble("the way has another source address",
                    lambda: machine.ip("route", "replace", "default", "via", "10.9.0.1", "src", "10.9.0.55"),
                    lambda: "src 10.9.0.55" in ways()[-1].split("now=")[1], ways)
    machine.trouble("and the old one", machine.ways, lambda: "src 10.9.0.11" in ways()[-1].split("now=")[1], ways)


def test_the_underlay_flaps(machine):
    """To the same gateway: nothing of the tunnel is lost, and nothing done to it; the agent sees both."""
    def ways():
        return machine.said(r"underlay-changed .*")

    def flap():
        machine.ip("link", "set", "eth0", "down")
        until("it is seen", lambda: any("now=none" in line for line in ways()[seen:]))
        machine.ip("link", "set", "eth0", "up")
        machine.ip("addr", "replace", "2001:db8::11/64", "dev", "eth0", "nodad")
        machine.ways()
        machine.ip("route", "add", "10.99.0.0/16", "via", "10.9.0.1", "proto", "static")
        machine.ip("route", "add", "10.98.0.0/16", "via", "10.9.0.1", "table", "77")
    machine.quiet(machine.full)
    seen, repairs = len(ways()), len(machine.said())
    machine.trouble("the underlay flaps to the same gateway", flap, lambda: "was=none" in ways()[-1], ways)
    machine.quiet(machine.full)
    assert len(machine.said()) == repairs, machine.said()[repairs:]
    assert "dev eth0" in machine.ip("route", "get", "10.9.0.21", "mark", "51820")
    assert machine.full in machine.ip("route", "get", "203.0.113.1") and rules_are_there(machine) and routes_are_there(machine)


def test_more_than_the_kernel_can_tell(machine):
    def flood():
        machine.agent.send_signal(signal.SIGSTOP)
        with open(machine.dir + "/batch", "w") as file:
            file.writelines(f"route {verb} 10.{i >> 8 & 127}.{i & 255}.0/24 via 10.9.0.1 table 78\n"
                            for i in range(20000) for verb in ("add", "del"))
        machine.ip("-batch", machine.dir + "/batch")
        machine.ip("rule", "del", "priority", "99")
        machine.agent.send_signal(signal.SIGCONT)
    _, lines = machine.trouble("40,000 changes while it could not listen", flood, lambda: rules_are_there(machine))
    assert any("more changed than the kernel could tell" in line for line in lines), lines


def test_what_the_user_set_stays(machine):
    """A peer taken out by hand takes its routes along; a peer that came by hand gets none."""
    machine.quiet(machine.other)  # a look under way knows of the peer as it was
    machine.inside("wg", "set", machine.other, "peer", machine.far, "allowed-ips", "10.91.0.0/16", "persistent-keepalive", "7")
    machine.ip("route", "del", "10.89.0.0/16", "table", "99")
    machine.quiet(machine.other)
    routes = machine.ip("route", "show", "table", "99", check=False)
    assert "10.89" not in routes and "10.91" not in routes, routes
    assert machine.inside("wg", "show", machine.other, "persistent-keepalive").split()[-1] == "7"

    def put_back():
        machine.inside("wg", "set", machine.other, "peer", machine.far, "allowed-ips", "10.89.0.0/16,10.90.0.0/16")
        machine.nudge(machine.other)
    machine.trouble("(a peer's allowed IPs are as they were)", put_back,
                    lambda: "10.89.0.0/16" in machine.ip("route", "show", "table", "99", check=False))
    assert "10.90" not in machine.ip("route", "show", "table", "99")


def test_rp_filter_is_explained(machine):
    def warned():
        return f"conf.{machine.other}.rp_filter=2" in str(machine.ready()["warnings"])
    machine.inside("sysctl", "-qw", f"net.ipv4.conf.{machine.other}.rp_filter=0", "net.ipv4.conf.all.rp_filter=1")
    assert warned()
    machine.inside("sysctl", "-qw", f"net.ipv4.conf.{machine.other}.rp_filter=2")
    assert not warned() and machine.ready()["ready"]
    machine.inside("sysctl", "-qw", "net.ipv4.conf.all.rp_filter=0")


def test_two_full_tunnels(machine):
    """One goes, and the other is whole without any repair."""
    second = machine.write("s", "Address = 10.62.0.1/24", "AllowedIPs = 0.0.0.0/0")
    machine.up(second)
    machine.quiet(machine.full)
    repairs, began = len(machine.said()), time.monotonic()
    machine.holdfast("down", second)
    assert rules_are_there(machine) and routes_are_there(machine)
    record("holdfast down, of another full tunnel", (time.monotonic() - began) * 1000, "(the command: nothing is to be mended after it)")
    machine.quiet(machine.full)
    assert tables(machine) == machine.tables, tables(machine)
    assert machine.inside("sysctl", "-n", "net.ipv4.conf.all.src_valid_mark").strip() == "1"
    assert len(machine.said()) == repairs, machine.said()[repairs:]


def test_wg_quick_takes_our_rules_along(machine):
    """Its `down` deletes every rule that looks like its own."""
    name = machine.write("q", "Address = 10.68.0.1/24", "AllowedIPs = 0.0.0.0/0")
    path = f"{machine.dir}/{name}.conf"
    machine.inside("wg-quick", "up", path)
    machine.quiet(machine.full)
    assert rules_are_there(machine)
    machine.trouble("wg-quick down, of another full tunnel", lambda: machine.inside("wg-quick", "down", path),
                    lambda: rules_are_there(machine) and machine.ip("rule").count("suppress_prefixlength") == 1)
    assert routes_are_there(machine) and tables(machine) == machine.tables


def test_a_covered_route_gets_a_rival(machine):
    """What goes by the connected route needs one of its own as soon as another's lies between the two."""
    name = machine.write("c", "Address = 10.67.0.1/16", "AllowedIPs = 10.67.5.0/24")

    def own():
        return machine.ip("route", "show", "10.67.5.0/24", "proto", "158").strip()
    machine.up(name)
    assert not own() and name in machine.ip("route", "get", "10.67.5.1")
    machine.trouble("another's route hides a covered one", lambda: machine.ip("route", "add", "10.67.0.0/20", "via", "10.9.0.1"), own)
    assert name in machine.ip("route", "get", "10.67.5.1") and "eth0" in machine.ip("route", "get", "10.67.6.1")
    machine.ip("route", "del", "10.67.0.0/20", "via", "10.9.0.1")
    machine.holdfast("down", name)


def test_host_routes_follow_the_underlay(machine):
    """A tunnel by halves: what it sends itself needs a way around it, which is the underlay's."""
    name = machine.write("h", "Address = 10.65.0.1/24", "AllowedIPs = 0.0.0.0/0\nEndpoint = 198.51.100.7:51820")
    with open(f"{machine.dir}/{name}.yaml", "w") as file:
        file.write("default_route: halves\nhost_routes: true\n")

    def ways(to="198.51.100.7"):
        return [line.split(" metric")[0].split(" proto")[0].strip() for line in machine.ip("route", "show", to, "proto", "159").splitlines()]

    def goes(way, to="198.51.100.7"):
        return lambda: ways(to) == [way, "unreachable " + to]

    def flap():
        machine.ip("link", "set", "eth0", "down")
        until("nothing comes back into the tunnel", lambda: ways() == ["unreachable 198.51.100.7"])
        machine.ip("link", "set", "eth0", "up")
        machine.ip("addr", "replace", "2001:db8::11/64", "dev", "eth0", "nodad")
        machine.ways()
        machine.ip("route", "add", "10.99.0.0/16", "via", "10.9.0.1", "proto", "static")
        machine.ip("route", "add", "10.98.0.0/16", "via", "10.9.0.1", "table", "77")
    eth0 = "198.51.100.7 via 10.9.0.1 dev eth0"
    machine.up(name)
    assert goes(eth0)(), ways()
    machine.trouble("ip route del ENDPOINT", lambda: machine.ip("route", "del", "198.51.100.7", "via", "10.9.0.1"), goes(eth0))
    machine.trouble("the underlay loses its default route", lambda: machine.ip("route", "del", "default", "via", "10.9.0.1"),
                    lambda: ways() == ["unreachable 198.51.100.7"])
    machine.trouble("and has the same gateway again", machine.ways, goes(eth0))
    machine.trouble("the underlay flaps, the way was the endpoint's", flap, goes(eth0))
    machine.make_link("wan3", "eth3")
    machine.trouble("the same gateway on another link, for host routes",
                    lambda: machine.ip("route", "replace", "default", "via", "10.9.0.1", "dev", "eth3", "onlink"),
                    goes("198.51.100.7 via 10.9.0.1 dev eth3"))
    machine.ip("link", "del", "eth3")
    assert ways() == ["unreachable 198.51.100.7"], "the kernel takes the way along, and what leads nowhere stays"
    machine.trouble("another gateway", lambda: machine.ip("route", "replace", "default", "via", "10.9.0.21"),
                    goes("198.51.100.7 via 10.9.0.21 dev eth0"))
    machine.trouble("the old one", machine.ways, goes(eth0))

    def roam():
        machine.inside("wg", "set", name, "peer", machine.far, "endpoint", "198.51.100.8:51820")
        machine.nudge(name)
    machine.trouble("the peer is elsewhere", roam, lambda: goes("198.51.100.8 via 10.9.0.1 dev eth0", "198.51.100.8")() and not ways())
    machine.holdfast("down", name)
    assert "proto 159" not in machine.ip("route", "show", "table", "all")


def test_it_can_be_watched(machine):
    def cli(*words):
        return run(HOLDFAST, "--controller", f"unix:{machine.dir}/run/agent.sock", *words)
    events = cli("events")
    assert "repaired" in events and "ip rule add" in events and "underlay" in events, events
    assert f"tunnel {machine.full}: up" in cli("status") and "without a fleet" in cli("status")
    assert machine.metric('holdfast_repairs_total{what="rule"}') >= 5 and machine.metric('holdfast_repairs_total{what="dns"}') == 1
    assert machine.metric("holdfast_kept_tunnels") == 2


def test_foreign_state_is_as_it_was(machine):
    for before, now in zip(machine.before, machine.foreign()):
        assert before == now, f"before {before}\nnow    {now}"


def test_reload_and_restart(machine):
    """After a reload the new file counts; and what happened while no agent was there is seen when one comes."""
    by_hand = run("wg", "pubkey", stdin=run("wg", "genkey")).strip()
    machine.inside("wg", "set", machine.full, "peer", by_hand, "allowed-ips", "10.77.0.0/24")
    machine.write("f", FULL.replace("/24,", "/24, 10.60.7.1/24,"), EVERYTHING.replace("10.88", "10.87"))
    began = time.monotonic()
    machine.holdfast("up", machine.full)
    assert "10.60.7.1/24" in machine.ip("addr", "show", "dev", machine.full) and "10.87.0.0/16" in machine.ip("route") and \
        "10.88.0.0/16" not in machine.ip("route")
    record("a file is changed: up, which is a reload", (time.monotonic() - began) * 1000, "(the command: routes and addresses follow)")
    machine.quiet(machine.full)
    assert by_hand in machine.inside("wg", "show", machine.full, "peers") and \
        machine.inside("wg", "show", machine.full, "fwmark").strip() == "0xca6c"
    machine.trouble("an address of the new file is deleted", lambda: machine.ip("addr", "del", "10.60.7.1/24", "dev", machine.full),
                    lambda: "10.60.7.1/24" in machine.ip("addr", "show", "dev", machine.full))
    assert machine.stop() == 0
    machine.ip("rule", "flush")
    machine.put_rules_back()
    machine.trouble("ip rule flush while no agent was there", machine.start, lambda: rules_are_there(machine))
    machine.trouble("a route of the new file is deleted", lambda: machine.ip("route", "del", "10.87.0.0/16"),
                    lambda: "proto 158" in machine.ip("route", "show", "10.87.0.0/16"))
    assert not machine.ip("route", "show", "10.88.0.0/16")


def kill_within(machine, name):
    """`up` of a tunnel whose PreUp never ends, killed while it is at work."""
    child = machine.start_holdfast("up", name)
    until("the hook runs", lambda: os.path.exists(machine.dir + "/hook"))
    os.unlink(machine.dir + "/hook")
    child.kill()
    child.wait()
    for pid in run("ip", "netns", "pids", machine.host).split():
        end_hook(pid)


def end_hook(pid):
    """The hook's own process; it, and who watched over it, may be about to end anyway."""
    try:
        with open(f"/proc/{pid}/comm") as comm:
            if comm.read() == "sleep\n":
                os.kill(int(pid), signal.SIGKILL)
    except (FileNotFoundError, ProcessLookupError):
        pass


def test_a_command_is_killed(machine):
    name = machine.write("k", f"Address = 10.63.0.1/24\nPreUp = touch {machine.dir}/hook; exec sleep 600", EVERYTHING)

    def undone():
        return f" {name}:" not in machine.ip("link") and not any(tunnel["name"] == name for tunnel in machine.ask("/v1/status")["tunnels"])

    def said():
        return machine.said(r"undone .*")
    machine.trouble("SIGKILL to `up` in the middle", lambda: kill_within(machine, name), undone, said)
    assert machine.stop(signal.SIGKILL) != 0
    kill_within(machine, name)
    assert f" {name}:" in machine.ip("link")
    machine.trouble("the same while no agent was there", machine.start, undone, said)


def test_a_handover_is_killed(machine):
    """A person's to finish: the agent looks now and then, not in a loop. Costs 2 s."""
    name = machine.write("h", "Address = 10.64.0.1/24", OTHER_PEER)
    machine.up(name)
    machine.quiet(name)
    path = next(os.path.join(where, file) for where, _, files in os.walk(machine.dir + "/run/quick") for file in files if file == name + ".json")
    text = open(path).read()

    def put(stage):
        """As a command killed at that stage leaves its journal."""
        with open(path + ".new", "w") as file:
            os.fchmod(file.fileno(), 0o600)
            journal = json.loads(text)
            journal["stage"] = stage
            json.dump(journal, file)
        os.rename(path + ".new", path)

    def is_busy():
        return any(tunnel["name"] == name and tunnel["state"] == "a command is at work" for tunnel in machine.ask("/v1/status")["tunnels"])

    def looks():
        return machine.metric("holdfast_plan_looks_total")
    put("adopting")
    until("it is left to a person", is_busy)
    first, end = looks(), time.monotonic() + 2
    while time.monotonic() < end and looks() < first + 100:
        time.sleep(0.02)
    assert looks() < first + 100, f"{looks() - first} looks in 2 s"
    put("up")
    until("it is kept", lambda: machine.is_kept(name))
    machine.holdfast("down", name)


def test_the_link_is_deleted(machine):
    def lost():
        return any("link is gone" in reason for reason in machine.ready()["reasons"])
    machine.trouble("ip link del X (told, not mended)", lambda: machine.ip("link", "del", machine.other), lost,
                    lambda: machine.said(r"lost .*"))
    machine.holdfast("down", machine.other)
    until("it is ready", lambda: machine.ready()["ready"])


def test_nothing_stays(machine):
    machine.holdfast("down", machine.full)
    until("no tunnel is left", lambda: not machine.ask("/v1/status")["tunnels"])
    assert "158" not in machine.ip("rule") + machine.ip("-6", "rule") + machine.ip("route", "show", "table", "all")
    assert not tables(machine)
    assert machine.stop() == 0
    until("no process is left", lambda: not run("ip", "netns", "pids", machine.host).split())
    assert os.listdir(machine.dir + "/run/quick") == [], os.listdir(machine.dir + "/run/quick")


if __name__ == "__main__":
    main([test_set_up, test_rules, test_firewall, test_routes, test_what_networkd_does, test_addresses, test_link,
          test_parameters_and_mark, test_name_servers, test_underlay, test_another_source_address, test_the_underlay_flaps, test_more_than_the_kernel_can_tell,
          test_what_the_user_set_stays, test_rp_filter_is_explained, test_two_full_tunnels,
          test_wg_quick_takes_our_rules_along, test_a_covered_route_gets_a_rival,
          test_host_routes_follow_the_underlay, test_it_can_be_watched,
          test_foreign_state_is_as_it_was, test_reload_and_restart, test_a_command_is_killed, test_a_handover_is_killed, test_the_link_is_deleted,
          test_nothing_stays], Machine(), "Tunnels of `holdfast up`")
