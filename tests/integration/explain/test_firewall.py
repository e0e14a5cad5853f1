#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What explain says of a ruleset, and what becomes of a real packet under it: written ones, and random ones from a printed seed
(EXPLAIN_SEED, EXPLAIN_COUNT). About 20 s, most of it waiting for pings that do not come back."""
import os
import random
import sys

from scene import FAR, FAR6, PORT, Site, can_run
from trial import ask, compare, listen

# A name, the ruleset, and what is asked: how, and from where.
WRITTEN = [
    ("nothing", "", {}),
    ("intervals of a set", "table ip t { set s { type ipv4_addr; flags interval; elements = { 10.0.0.0-10.59.255.255, 10.60.0.0/30 }; };"
     " chain c { type filter hook output priority 0; ip daddr @s drop; }; }", {}),
    ("beside the intervals", "table ip t { set s { type ipv4_addr; flags interval; elements = { 10.0.0.0/11, 10.60.0.2-10.255.255.255 }; };"
     " chain c { type filter hook output priority 0; ip daddr @s drop; }; }", {}),
    ("a concatenation of ranges", 'table inet t { chain c { type filter hook output priority 0; '
     'oifname . ip daddr . meta l4proto { "wg0" . 10.60.0.0/24 . 1-6 } drop; }; }', {}),
    ("beside a concatenation", 'table inet t { chain c { type filter hook output priority 0; '
     'oifname . ip daddr . meta l4proto { "wg0" . 10.60.0.0/24 . 2-6, "eth0" . 10.60.0.0/24 . 1 } drop; }; }', {}),
    ("a verdict map", "table inet t { chain a { accept; }; chain d { drop; }; chain c { type filter hook output priority 0; policy drop; "
     "oifname != wg0 accept; ip daddr vmap { 10.60.0.0/16 : jump d, 10.50.0.0/16 : jump a }; }; }", {}),
    ("a map of marks", "table inet t { chain b { type filter hook output priority 1; meta mark 7 drop; }; "
     "chain a { type filter hook output priority 0; meta mark set ip daddr map { 10.60.0.0/16 : 7, 10.50.0.0/16 : 8 }; }; }", {}),
    ("goto and the policy", "table ip t { chain sub { ip daddr 1.2.3.4 accept; }; chain c { type filter hook output priority 0; policy drop; "
     "oifname != wg0 accept; goto sub; accept; }; }", {}),
    ("return from a jump", "table ip t { chain sub { return; drop; }; chain c { type filter hook output priority 0; policy drop; "
     "jump sub; accept; }; }", {}),
    ("a later chain", "table ip t { chain a { type filter hook output priority -5; accept; }; "
     "chain b { type filter hook output priority 5; oifname wg0 drop; }; }", {}),
    ("a dormant table", "table ip t { flags dormant; chain c { type filter hook output priority 0; policy drop; }; }", {}),
    ("egress of the device", "table netdev t { chain c { type filter hook egress device wg0 priority 0; icmp type echo-request drop; }; }", {}),
    ("ingress of the uplink", f"table netdev t {{ chain c {{ type filter hook ingress device eth0 priority 0; udp sport {PORT} drop; }}; }}", {}),
    ("only answers", "table inet t { chain c { type filter hook input priority 0; policy drop; iifname lo accept; "
     "iifname eth0 accept; ct state established,related accept; }; }", {}),
    ("untracked", "table inet t { chain r { type filter hook prerouting priority raw; iifname wg0 notrack; }; "
     "chain c { type filter hook input priority 0; iifname wg0 ct state established accept; iifname wg0 drop; }; }", {}),
    ("a port", "table inet t { chain c { type filter hook output priority 0; oifname wg0 tcp dport { 80, 8000-8100 } reject with tcp reset; }; }",
     {"tcp": 8080}),
    ("another port", "table inet t { chain c { type filter hook output priority 0; oifname wg0 tcp dport { 80, 8000-8070 } reject with tcp reset; }; }",
     {"tcp": 8080}),
    ("flags of a SYN", "table inet t { chain c { type filter hook output priority 0; oifname wg0 tcp flags & (syn|ack) == syn drop; }; }",
     {"tcp": 8080}),
    ("answers with ACK", "table inet t { chain c { type filter hook input priority 0; iifname wg0 tcp flags & (syn|ack) == syn|ack drop; }; }",
     {"tcp": 8080}),
    ("an address of IPv6", "table inet t { set s { type ipv6_addr; flags interval; elements = { fd60::/64 }; }; "
     "chain c { type filter hook output priority 0; ip6 daddr @s icmpv6 type echo-request drop; }; }", {"address": FAR6}),
    ("the other family", "table ip t { chain c { type filter hook output priority 0; oifname wg0 drop; }; }", {"address": FAR6}),
    ("forwarded by Docker's leave", 'table ip filter { chain USER { iifname "eth1" counter accept; }; '
     'chain FORWARD { type filter hook forward priority filter; policy drop; counter jump USER; '
     'ct state established,related counter accept; }; }', {"forwarded": True}),
    ("forwarded without it", 'table ip filter { chain USER { iifname "docker0" counter accept; }; '
     'chain FORWARD { type filter hook forward priority filter; policy drop; counter jump USER; '
     'ct state established,related counter accept; }; }', {"forwarded": True}),
    ("masqueraded", "table ip nat { chain post { type nat hook postrouting priority srcnat; policy drop; oifname wg0 masquerade; "
     f"udp sport {PORT} accept; }}; }}", {"forwarded": True}),
    ("a spoofed source", 'table inet t { chain c { type filter hook prerouting priority raw; '
     'iifname "eth1" fib saddr type local drop; iifname "eth1" fib daddr type != unicast drop; }; }', {"forwarded": True}),
    ("not to this machine's own", 'table inet t { chain c { type filter hook prerouting priority raw; '
     'iifname "eth1" fib daddr type unicast drop; }; }', {"forwarded": True}),
]

# Rulesets of which it has to say that it cannot tell, and why.
NOT_KNOWN = [
    ("limit", "oifname wg0 limit rate 100/second accept; oifname wg0 drop"),
    ("meta skuid", "oifname wg0 meta skuid 0 accept; oifname wg0 drop"),
    ("the network header's bytes from 8", "oifname wg0 ip ttl < 64 drop"),
    ("numgen", "oifname wg0 numgen random mod 2 0 drop"),
    ("quota", "oifname wg0 quota over 100 mbytes drop"),
    ("meta length", "oifname wg0 meta length > 1000 drop"),
]

def try_to_load(site, ruleset):
    site.machine.write("/run/ruleset", "flush ruleset\n" + ruleset)
    return site.machine.shell("nft -f /run/ruleset")


def load(site, ruleset):
    status, _, said = try_to_load(site, ruleset)
    assert status == 0, f"{said}\n{ruleset}"


def test_written(site):
    for name, ruleset, how in WRITTEN:
        load(site, ruleset)
        assert compare(site, name, ruleset, how), f"{name}: cannot tell: {ask(site, how).doubts}"


def test_not_known(site):
    for words, rules in NOT_KNOWN:
        load(site, f"table inet t {{ chain c {{ type filter hook output priority 0; {rules}; }}; }}")
        answer = site.explain()
        assert answer.first is None and len(answer.doubts) == 1, f"{words}: {answer.findings}"
        assert answer.doubts[0]["text"].startswith("cannot tell: inet t c, rule 1") and words in answer.doubts[0]["text"], answer.doubts


# ---- random ones ----

def conditions(choose, family):
    """One condition or none, true of the packet about as often as not; of IPv4 or IPv6."""
    ours, theirs, protocol = ("10.50.0.2", FAR, "icmp") if family == "ip" else ("fd50::2", FAR6, "icmpv6")
    net = ["10.60.0.0/16", "10.60.0.0/31", "10.61.0.0/16", "10.0.0.0-10.60.0.0", "10.60.0.1-10.60.0.9"] if family == "ip" else [
        "fd60::/64", "fd60::/127", "fd61::/64", "fd50::-fd60::", "fd60::1-fd60::9"]
    devices = ['"wg0"', '"wg*"', '"eth0"', '"lo"', '"eth1"']
    return choose([
        "", "",
        f"{choose(['oifname', 'iifname'])} {choose(['', '!= '])}{choose(devices)}",
        f"{family} daddr {choose(['', '!= '])}{choose([theirs, ours, *net])}",
        f"{family} saddr {choose(['', '!= '])}{choose([theirs, ours, *net])}",
        f"{family} daddr {{ {choose(net)} }}",
        f"{family} daddr != @named",
        f"{family} daddr @named",
        f"{choose(['oifname', 'iifname'])} . {family} daddr {{ {choose(devices[::4])} . {choose(net)} }}",
        f"{family} saddr . {family} daddr {{ {ours} . {theirs}, {theirs} . {ours} }}",
        f"meta l4proto {choose(['', '!= '])}{{ {choose([protocol, 'tcp', 'udp'])}, {choose(['esp', 'ah'])} }}",
        f"{protocol} type {choose(['echo-request', 'echo-reply', 'destination-unreachable'])}",
        f"meta mark {choose(['0', '7', '!= 7', '1-9', '0-9'])}",
        f"meta mark & 0x{choose('137f')} == {choose(['0', '7', '3'])}",
        f"meta l4proto {protocol} ct state {choose(['new', 'established,related', '!= new', 'untracked', 'new,established'])}",
        f"meta l4proto {protocol} ct direction {choose(['original', 'reply'])}",
        f"fib {choose(['saddr', 'daddr'])} type {choose(['local', 'unicast', '!= local'])}",
        f"meta nfproto {choose(['ipv4', 'ipv6'])}",
        f"meta l4proto {protocol} ct mark {choose(['0', '3'])}",
        f"udp dport {choose([PORT, 53])}",
    ])


def statement(choose, chains, hook, protocol):
    return choose([
        "counter", "accept", "accept", "drop", f"meta l4proto {protocol} {choose(['drop', 'accept'])}", "return",
        f"meta mark set {choose([0, 3, 7])}", f"meta l4proto {protocol} ct mark set {choose([3, 4])}",
        *[f"{how} {chain}" for chain in chains for how in ("jump", "jump", "goto")],
        *(["reject"] if hook in ("input", "forward", "output") else []),
        *([f"meta l4proto {protocol} notrack"] if hook == "raw" else []),
    ])


def chain(draw, name, head, chains, family, hook):
    choose, protocol = draw.choice, "icmp" if family == "ip" else "icmpv6"
    rules = [f"{conditions(choose, family)} {conditions(choose, family)} {statement(choose, chains, hook, protocol)}"
             for _ in range(draw.randint(1, 4))]
    if draw.random() < 0.15:
        rules.append(f"{family} daddr vmap {{ {FAR if family == 'ip' else FAR6} : {choose(['accept', 'drop', 'continue'])} }}")
    return f"chain {name} {{ {head} " + "; ".join(rules) + "; }\n"


def base(draw, name, chains, family, hooks):
    hook = draw.choice(hooks)
    priority, kind = (draw.choice(["-5", "0", "5", "mangle"]), hook)
    if hook in ("prerouting", "output") and draw.random() < 0.3:
        priority, kind = "raw", "raw"
    policy = draw.choice(["accept", "accept", "accept", "drop"])
    head = f"type filter hook {hook} priority {priority}; policy {policy};"
    return chain(draw, name, head, chains, family, kind)


def generate(draw, family, hooks):
    text = ""
    for number in range(draw.randint(1, 2)):
        kind, nets = draw.choice([family, "inet"]), "10.60.0.0/16, 10.0.0.0/30" if family == "ip" else "fd60::/64, fd00::/127"
        text += f"table {kind} t{number} {{\n"
        text += f"set named {{ type {'ipv4' if family == 'ip' else 'ipv6'}_addr; flags interval; elements = {{ {nets} }}; }}\n"
        text += chain(draw, "one", "", [], family, "none") + chain(draw, "two", "", ["one"], family, "none")
        for index in range(draw.randint(1, 2)):
            text += base(draw, f"b{index}", ["one", "two"], family, hooks)
        text += "}\n"
    return text


KINDS = [("ip", {}, ["output", "postrouting", "prerouting", "input"]), ("ip6", {"address": FAR6}, ["output", "postrouting", "input"]),
         ("ip", {"forwarded": True}, ["prerouting", "forward", "forward", "postrouting"])]


def load_one(site, draw, family, hooks):
    """nft refuses some that contradict themselves."""
    for _ in range(50):
        ruleset = generate(draw, family, hooks)
        status, _, said = try_to_load(site, ruleset)
        if status == 0:
            return ruleset
    raise AssertionError(f"nft takes none of them: {said}")


def test_random(site):
    seed, count = int(os.environ.get("EXPLAIN_SEED", random.randrange(1 << 31))), int(os.environ.get("EXPLAIN_COUNT", 30))
    print(f"  EXPLAIN_SEED={seed} EXPLAIN_COUNT={count}", flush=True)
    draw, told, passed = random.Random(seed), 0, 0
    for index in range(count):
        family, how, hooks = KINDS[index % len(KINDS)]
        ruleset = load_one(site, draw, family, hooks)
        if compare(site, f"EXPLAIN_SEED={seed}, number {index}", ruleset, how):
            told += 1
            passed += not ask(site, how).noes
    load(site, "")
    print(f"  {told} of {count} told, {passed} of them let through", flush=True)
    assert told > count // 2


def main():
    if not can_run():
        print("needs root, wireguard-go and wg-quick")
        sys.exit(77)
    with Site() as site:
        listener = listen(site)
        for test in (test_written, test_not_known, test_random):
            print(test.__name__, flush=True)
            test(site)
    listener.communicate(timeout=20)  # it died with its host


main()
