#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A running tunnel passes from Debian's wg-quick to holdfast and back: as if the other had made it, and no packet notices.
Takes some 12 seconds."""
import json
import os
import re
import sys

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), "differential"), os.path.dirname(os.path.abspath(__file__))]
from compare import HOLDFAST, WG_QUICK, Pair, can_run, diff, key, normalise, public  # noqa: E402
from machine import FULL, INTERFACE, ONE, PRIVATE, THREE, TWO, Machine, steps  # noqa: E402

FOUR_OF_FULL = FULL.replace(", ::/0", "")
SIX_OF_FULL = FULL.replace("0.0.0.0/0, ", "")
SECOND = f"\n[Peer]\nPublicKey = {TWO}\nAllowedIPs = 10.60.0.0/16, fd60::/32, 10.60.1.0/24\nPresharedKey = {key()}\nPersistentKeepalive = 7\n"
HOOKS = "".join(f"{hook} = echo {hook} %i >>/run/transcript\n" for hook in ("PreUp", "PostUp", "PreDown", "PostDown"))

CASES = {
    "no peers": INTERFACE,
    "full, with all else": INTERFACE + "DNS = 10.50.0.1, lan\n" + HOOKS + FULL + SECOND,
    "full, IPv4": INTERFACE + FOUR_OF_FULL,
    "full, IPv6": INTERFACE + SIX_OF_FULL,
    "full, with a mark and a port": INTERFACE + "FwMark = 0x1234\nListenPort = 51821\n" + FULL,
    "covered, and a hook's own route": INTERFACE + "PostUp = ip route add 10.77.0.0/16 dev %i; ip rule add pref 77 lookup 77\n"
                                       "PreDown = ip rule delete pref 77\n" + SECOND + f"\n[Peer]\nPublicKey = {ONE}\nAllowedIPs = 10.50.0.0/25, 10.0.0.0/8\n",
    "a table": INTERFACE + "Table = 1234\n" + FULL + SECOND,
    "no routes": INTERFACE + "Table = off\n" + FULL + SECOND,
    "no addresses": f"[Interface]\nPrivateKey = {PRIVATE}\n" + FULL,
}


def exact(host):
    """All there is, protocol numbers, comments and parameters, too."""
    return normalise(host.snapshot(), deliberate=False)


def journal(host):
    """But for chance, and for what only whoever brought it up can know."""
    found = json.loads(host.must("cat /run/holdfast/quick/net-*/wg0.json"))
    for parameter in found["parameters"].values():
        del parameter["before"]
    del found["ifindex"], found["listen_port"]
    return json.dumps(found, indent=1, sort_keys=True)


def call(host, program, verb, name="wg0", status=0, env=None):
    got, _, said = host.call(program, verb, name, env=env)
    assert got == status and "AddressSanitizer" not in said and "runtime error" not in said, f"{verb} {name}: {got}\n{said}"
    return said


def same(what, left, right):
    differences = diff(left, right)
    assert not differences, what + "\n" + "\n".join(differences)


def gone(what, host, before):
    """The files stay, and what hooks wrote; src_valid_mark stays where wg-quick had a hand in it."""
    texts = [re.sub(r"(?m)^.*(valid_mark|all/send_redirects).*\n", "", text.partition("== transcript")[0]) for text in (before, exact(host))]
    same(what, *texts)
    assert not host.must("find /run/holdfast -type f 2>/dev/null || :"), what


def test_alike():
    """`theirs` is brought up by wg-quick and adopted, `ours` by holdfast and released."""
    for name, text in CASES.items():
        with Pair({"wg0": text}) as pair:
            theirs, ours = pair.hosts
            fresh = exact(theirs)
            assert pair.run("up", "wg0") == (0, 0), pair.said
            up = exact(theirs)
            said = call(theirs, HOLDFAST, "adopt")
            assert "Warning" not in said, said
            same(name + ": adopted", exact(ours), exact(theirs))
            same(name + ": journal", journal(ours), journal(theirs))
            said = call(theirs, HOLDFAST, "up")
            assert "[#]" not in said, said
            said = call(ours, HOLDFAST, "release")
            assert said.count("Warning") == ("0.0.0.0/0" in text and "Table" not in text) == ("src_valid_mark was 0" in said), said
            same(name + ": released", up, exact(ours))
            call(theirs, HOLDFAST, "release")
            same(name + ": released again", up, exact(theirs))
            call(theirs, HOLDFAST, "adopt")
            call(theirs, HOLDFAST, "down")
            gone(name + ": holdfast down", theirs, fresh)
            call(ours, WG_QUICK, "down")
            gone(name + ": wg-quick down", ours, fresh)
    print("as if the other had made it")


def test_rules_in_the_wrong_order():
    """Beside a rule of preference 0 wg-quick's land at 0, reversed: ours come where they work."""
    with Pair({"wg0": INTERFACE + FULL}) as pair:
        pair.setup("ip rule add pref 0 to 203.0.113.0/24 lookup 99; ip -6 rule add pref 0 to 2001:db8:1::/48 lookup 99")
        assert pair.run("up", "wg0") == (0, 0), pair.said
        theirs, ours = pair.hosts
        assert "suppress" not in theirs.must("ip rule").partition("not from all")[0]
        call(theirs, HOLDFAST, "adopt")
        same("adopted", exact(ours), exact(theirs))
    print("rules in the wrong order")


def main():
    if not can_run():
        return 77
    for name, test in list(globals().items()):
        if name.startswith("test_") and (len(sys.argv) == 1 or name in sys.argv[1:]):
            test()
    return 0


if __name__ == "__main__":
    sys.exit(main())
