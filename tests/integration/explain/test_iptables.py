#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What explain says of rules that Debian's iptables-nft and ip6tables-nft wrote, some of them in extensions of xtables that nft(8)
cannot print, and what becomes of a real packet under them. About 15 s."""
import sys

from scene import FAR6, Site, can_run
from trial import ask, compare, listen

TCP, FORWARDED, SIX = {"tcp": 8080}, {"forwarded": True}, {"address": FAR6}

# A name, what is asked, does it get through, and the rules: with %s for the protocol's ICMP and its type's option.
PING = "-p {icmp} --{icmp_type}-type echo-request"
BOTH = [
    ("ACCEPT before a DROP", True, ["-A OUTPUT -o wg0 " + PING + " -j ACCEPT", "-A OUTPUT -o wg0 -j DROP"]),
    ("another type of ICMP", False, ["-A OUTPUT -o wg0 -p {icmp} --{icmp_type}-type echo-reply -j ACCEPT", "-A OUTPUT -o wg0 -j DROP"]),
    ("not that type", True, ["-A OUTPUT -o wg0 -p {icmp} ! --{icmp_type}-type echo-request -j DROP"]),
    ("DROP", False, ["-A OUTPUT -o wg+ -d {net} -j DROP"]),
    ("beside the network", True, ["-A OUTPUT -o wg+ ! -d {net} -j DROP"]),
    ("REJECT", False, ["-A OUTPUT -o wg0 -p {icmp} -j REJECT"]),
    ("the policy, and no way out of it", False, ["-A OUTPUT ! -o wg0 -j ACCEPT", "-P OUTPUT DROP"]),
    ("only what is established", False, ["-A OUTPUT ! -o wg0 -j ACCEPT", "-A OUTPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
                                         "-P OUTPUT DROP"]),
    ("new as well", True, ["-A OUTPUT ! -o wg0 -j ACCEPT", "-A OUTPUT -m state --state NEW,ESTABLISHED -j ACCEPT", "-P OUTPUT DROP"]),
    ("answers by their state", True, ["-A INPUT -m conntrack --ctstate INVALID -j DROP", "-A INPUT -i wg0 -m conntrack ! --ctstate ESTABLISHED -j DROP"]),
    ("a mark that is set", False, ["-t mangle -A OUTPUT -o wg0 -j MARK --set-xmark 0x12/0xff", "-A OUTPUT -m mark --mark 0x10/0xf0 -j DROP"]),
    ("and another", True, ["-t mangle -A POSTROUTING -o wg0 -j MARK --set-mark 0x21",
                           "-t mangle -A POSTROUTING -o wg0 -m mark --mark 0x10/0xf0 -j DROP",
                           "-t mangle -A POSTROUTING -o wg0 -m mark ! --mark 0x21 -j DROP"]),
    ("local destinations", True, ["-A OUTPUT -o wg0 -m addrtype --dst-type LOCAL -j DROP", "-A OUTPUT -o wg0 -m addrtype --dst-type MULTICAST -j DROP"]),
    ("local sources", False, ["-A OUTPUT -o wg0 -m addrtype ! --src-type LOCAL -j ACCEPT", "-A OUTPUT -o wg0 -m comment --comment 'no more' -j DROP"]),
    ("what the own chain returns", True, ["-N own", "-A own -p tcp -j DROP", "-A own -j RETURN", "-A own -j DROP", "-A OUTPUT -o wg0 -j own"]),
    ("what it goes to", False, ["-N own", "-A own -p tcp -j RETURN", "-A own -j DROP", "-A OUTPUT -o wg0 -g own", "-A OUTPUT -j ACCEPT"]),
    ("logged and not tracked", True, ["-t raw -A OUTPUT -o wg0 -j CT --notrack", "-A OUTPUT -j LOG", "-A OUTPUT -o wg0 -m conntrack ! --ctstate UNTRACKED -j DROP"]),
    ("a destination that is only another protocol's", True, ["-t nat -A OUTPUT -p tcp --dport 53 -j REDIRECT --to-ports 5353"]),
]

DOCKER = ["-P FORWARD DROP", "-N DOCKER", "-N DOCKER-USER", "-N DOCKER-ISOLATION-STAGE-1", "-A FORWARD -j DOCKER-USER",
          "-A FORWARD -j DOCKER-ISOLATION-STAGE-1", "-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
          "-A FORWARD -o docker0 -j DOCKER", "-A FORWARD -i docker0 ! -o docker0 -j ACCEPT", "-A DOCKER-ISOLATION-STAGE-1 -j RETURN",
          "-t nat -N DOCKER", "-t nat -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER",
          "-t nat -A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE", "-t nat -A DOCKER -i docker0 -j RETURN"]
UFW = ["-P FORWARD DROP", "-N ufw-before-forward", "-N ufw-after-forward", "-N ufw-user-forward", "-N ufw-logging-deny",
       "-A FORWARD -j ufw-before-forward", "-A FORWARD -j ufw-after-forward",
       "-A ufw-before-forward -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
       "-A ufw-before-forward -p icmp --icmp-type destination-unreachable -j ACCEPT", "-A ufw-before-forward -j ufw-user-forward",
       "-A ufw-logging-deny -m conntrack --ctstate INVALID -m limit --limit 3/min --limit-burst 10 -j RETURN",
       "-A ufw-logging-deny -m limit --limit 3/min --limit-burst 10 -j LOG --log-prefix blocked", "-A ufw-after-forward -j ufw-logging-deny"]
FOUR = [
    ("Docker alone", FORWARDED, False, DOCKER),
    ("Docker, and the user's leave", FORWARDED, True, DOCKER + ["-I DOCKER-USER -i eth1 -o wg0 -j ACCEPT", "-I DOCKER-USER -i wg0 -j ACCEPT"]),
    ("Docker, and a way out alone", FORWARDED, False, DOCKER + ["-I DOCKER-USER -i eth1 -o wg0 -j ACCEPT"]),
    ("ufw", FORWARDED, False, UFW),
    ("ufw route allow", FORWARDED, True, UFW + ["-A ufw-user-forward -i eth1 -o wg0 -s 192.168.1.0/24 -j ACCEPT"]),
    ("masqueraded", FORWARDED, True, ["-t nat -A POSTROUTING -o wg0 -j MASQUERADE"]),
    ("a port", TCP, False, ["-A OUTPUT -o wg0 -p tcp --dport 8000:8100 --syn -j REJECT --reject-with tcp-reset"]),
    ("another port", TCP, True, ["-A OUTPUT -o wg0 -p tcp ! --dport 8000:8100 -j DROP", "-A OUTPUT -p tcp -m multiport --dports 22,80 -j ACCEPT"]),
]

# What it has to say that it cannot tell, and why: the rules end differently.
NOT_KNOWN = [
    ("xt match multiport", TCP, ["-A OUTPUT -o wg0 -p tcp -m multiport --dports 22,8080 -j DROP"]),
    ("xt match owner", {}, ["-A OUTPUT -o wg0 -m owner --uid-owner 0 -j DROP"]),
    ("meta mark", {}, ["-t mangle -A OUTPUT -o wg0 -j CONNMARK --restore-mark", "-A OUTPUT -o wg0 -m mark --mark 7 -j DROP"]),
    ("xt match addrtype", {}, ["-A OUTPUT -o wg0 -m addrtype --dst-type UNICAST -j DROP"]),
]


def load(site, program, rules):
    site.machine.must("nft flush ruleset")
    for rule in rules:
        site.machine.must(f"{program} -w {rule}")


def check(site, name, how, passes, program, rules):
    load(site, program, rules)
    text = f"{program}\n" + "\n".join(rules)
    assert compare(site, name, text, how), f"{name}: cannot tell: {ask(site, how).doubts}\n{text}"
    assert (not ask(site, how).noes) == passes, f"{name}: {ask(site, how).findings}\n{text}"


def test_both_families(site):
    for program, how, words in (
            ("iptables-nft", {}, {"icmp": "icmp", "icmp_type": "icmp", "net": "10.60.0.0/16"}),
            ("ip6tables-nft", SIX, {"icmp": "ipv6-icmp", "icmp_type": "icmpv6", "net": "fd60::/64"})):
        for name, passes, rules in BOTH:
            check(site, name, how, passes, program, [rule.format(**words) for rule in rules])


def test_forwarded_and_tcp(site):
    for name, how, passes, rules in FOUR:
        check(site, name, how, passes, "iptables-nft", rules)


def test_not_known(site):
    for words, how, rules in NOT_KNOWN:
        load(site, "iptables-nft", rules)
        answer = ask(site, how)
        assert answer.first is None and len(answer.doubts) == 1, f"{words}: {answer.findings}"
        assert answer.doubts[0]["text"].startswith("cannot tell: ip filter OUTPUT, rule 1") and words in answer.doubts[0]["text"], answer.doubts


def main():
    if not can_run():
        print("needs root, wireguard-go and wg-quick")
        sys.exit(77)
    with Site() as site:
        if site.machine.shell("command -v iptables-nft")[0] or site.machine.shell("iptables-nft -w -L -n")[0]:
            print("iptables-nft is not there, or this kernel has no xtables for nftables")
            sys.exit(77)
        listener = listen(site)
        for test in (test_both_families, test_forwarded_and_tcp, test_not_known):
            print(test.__name__, flush=True)
            test(site)
    listener.communicate(timeout=20)  # it died with its host


main()
