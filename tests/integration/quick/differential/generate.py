# SPDX-License-Identifier: GPL-2.0-or-later
"""Random configurations: the same ones for the same seed."""
import random

from cases import ALIKE, Case, Step, key

COME_UP, ENOUGH = 0.5, 20  # at least this share of them comes up, for of those that are refused little is compared; fewer say nothing of it

SPACES = ("", " ", "  ", "\t")


def spelled(rng, word):
    return rng.choice((word, word, word, word.lower(), word.upper()))


def line(rng, word, value):
    end = rng.choice(("", "", "", " ", "\r", " # why"))
    return f"{rng.choice(SPACES)}{spelled(rng, word)}{rng.choice(SPACES)}={rng.choice(SPACES)}{value}{end}\n"


def address(rng, family):
    if family == 4:
        return f"10.{rng.randrange(50, 54)}.{rng.randrange(4)}.{rng.randrange(1, 255)}", rng.choice((8, 16, 24, 25, 30, 31, 32))
    return f"fd{rng.randrange(50, 54)}::{rng.randrange(4):x}:{rng.randrange(1, 65536):x}", rng.choice((32, 48, 64, 112, 127, 128))


def prefix(rng, family):
    """Few networks and many lengths: they overlap."""
    host, length = address(rng, family)
    length = rng.choice((length, length, rng.randrange(9, 33) if family == 4 else rng.randrange(17, 129)))
    return f"{host}/{length}" if rng.random() < 0.9 else host


def families(rng):
    return rng.choice(((4,), (4,), (6,), (4, 6), (4, 6), ()))


def addresses(rng, chosen):
    """No address twice: that fails, and how is a case of its own."""
    made = {}
    for _ in range(rng.choice((0, 1, 1, 1, 2, 3, 5)) if chosen else 0):
        host, length = address(rng, rng.choice(chosen))
        made.setdefault(host, f"{host}/{length}" if rng.random() < 0.9 else host)
    values = list(made.values())
    if rng.random() < 0.5:
        return [line(rng, "Address", value) for value in values]
    return [line(rng, "Address", rng.choice((", ", ",", " ")).join(values))] if values else []


def settings(rng, name):
    """Each key, sometimes."""
    lines = [line(rng, "PrivateKey", key("private " + name))] if rng.random() < 0.95 else []
    for chance, word, values in (
            (0.3, "ListenPort", (0, 51820, 65535, 4500)),
            (0.2, "FwMark", ("off", "0", "0x1", "51820", "0xca6c", "4660", "4294967295")),
            (0.3, "MTU", ("1280", "1420", "0x500", "1500", "9000", "")),
            (0.3, "Table", ("auto", "off", "1234", "main", "", "51820")),
            (0.3, "DNS", ("10.50.0.1", "10.50.0.1, fd50::1", "lan, 10.50.0.1", "example.net", "1.1.1.1 8.8.8.8, corp.example.net")),
            (0.1, "DNS", ("10.50.0.3", "home.arpa")),
            (0.1, "SaveConfig", ("false", "FALSE")),
            (0.2, "PreUp", ("true", "say pre %i", "echo %i $INTERFACE >>/run/transcript")),
            (0.3, "PostUp", ("ip link set %i txqueuelen 77", "echo up %i >>/run/transcript", "x=%i; [[ $x == $INTERFACE ]]")),
            (0.2, "PreDown", ("ip link show %i >/dev/null && echo there >>/run/transcript", "true")),
            (0.2, "PostDown", ("! ip link show %i 2>/dev/null", "echo %i gone >>/run/transcript"))):
        if rng.random() < chance:
            lines.append(line(rng, word, rng.choice(values)))
    return [text.replace("say ", "echo ") for text in lines]


def peer(rng, number, chosen):
    lines = [line(rng, "PublicKey", key(f"peer {number}"))]
    if chosen and rng.random() < 0.95:
        prefixes = [prefix(rng, rng.choice(chosen)) for _ in range(rng.choice((1, 1, 2, 3, 8)))]
        if rng.random() < 0.2:
            prefixes += rng.sample(["0.0.0.0/0", "::/0", "0.0.0.0/1", "128.0.0.0/1"], rng.randrange(1, 3))
        if rng.random() < 0.3:
            lines += [line(rng, "AllowedIPs", value) for value in prefixes]
        else:
            lines.append(line(rng, "AllowedIPs", ", ".join(prefixes)))
    if rng.random() < 0.5:
        host = rng.choice(("192.0.2.1", "198.51.100.7", "[2001:db8::1]", "[2001:db8:5::7]"))
        lines.append(line(rng, "Endpoint", f"{host}:{rng.choice((51820, 53, 'domain'))}"))
    if rng.random() < 0.2:
        lines.append(line(rng, "PresharedKey", key(f"shared {number}")))
    if rng.random() < 0.3:
        lines.append(line(rng, "PersistentKeepalive", rng.choice(("off", 0, 25, 65535))))
    rng.shuffle(lines)
    return rng.choice(("[Peer]\n", "[peer]\n", "  [PEER]  # one\n", "\n[Peer]\n")) + "".join(lines)


def configuration(rng, name):
    chosen = families(rng)
    head = addresses(rng, chosen) + settings(rng, name)
    rng.shuffle(head)
    count = rng.choice((0, 1, 1, 1, 2, 2, 3, 5, 9))
    return rng.choice(("[Interface]\n", "[interface] # x\n", "# first\n\n[INTERFACE]\n")) + "".join(head) + \
        "".join(peer(rng, rng.randrange(count) if rng.random() < 0.05 else number, chosen) for number in range(count))


SETUPS = (
    "ip rule add pref 5000 to 10.3.0.0/16 lookup 99",
    "ip route add 10.99.0.0/16 via 192.0.2.1 table 51820",
    "ip -6 route add fd99::/32 via 2001:db8::1 table 51820",
    "ip link set eth0 mtu 1400",
    "ip route delete default",
    "ip -6 route delete default",
    "sysctl -qw net.ipv4.conf.all.src_valid_mark=1",
    "nft add table inet mine",
)


def too_few(came_up, count):
    """What is wrong with so many of them that came up; "" if nothing is."""
    return "" if count < ENOUGH or came_up >= COME_UP * count else f"only {came_up} of {count} random configurations came up: the generator makes too many that are refused"


def case(seed, number):
    rng = random.Random(f"{seed} {number}")
    made = Case("random", f"random {number} of seed {seed}")
    made.files["wg0"] = configuration(rng, "wg0")
    made.setup = [rng.choice(SETUPS)] if rng.random() < 0.3 else []
    made.steps = [Step("up wg0", ALIKE), Step("down wg0", ALIKE)]
    if rng.random() < 0.3:
        made.steps.insert(0, Step("strip wg0", ALIKE))
    return made
