# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads configurations and what is done with them from cases/*.cases, which are plain text:

    # a comment
    == a heading, until the next one
    name of the case
        $ a shell command, on both machines              (before the tunnel, or between steps)
        Address = 10.50.0.2/24                           lines of wg0.conf, after [Interface] and a PrivateKey
        [a] 10.60.0.0/16, ::/0 @192.0.2.1:51820 +25      a peer: allowed IPs, endpoint, keepalive
        [p*50] 10.60.#.0/24                              fifty of them, # counting from 0
        PresharedKey = {psk}                             {word} is that word's key
        @ wg1                                            what follows is wg1.conf
        | [interface] #c\\t                               the line as it is, with C's escapes; nothing is put before it
        > up wg0                                         a step, after which both machines are compared; none: up, down
        > up wg0 = 1                                     both end with status 1
        > up wg0 = 2 but 1: own-status                   they differ, which docs/wg-quick.md explains under that name
        ~ own-rules-only: lookup main                    so do lines that this matches (+ holdfast's, - wg-quick's), after the step above
        ~ keeps                                          not all is as it was before, in the end: this is meant
"""
import base64
import hashlib
import os
import re

ALIKE = "alike"  # statuses of a step that may succeed or fail, on both machines
HERE = os.path.dirname(os.path.abspath(__file__))


class Step:
    """One thing done to both machines. statuses: None for a shell command."""

    def __init__(self, text, statuses=None, why=None):
        self.text, self.statuses, self.why = text, statuses, why
        self.explained = []  # (difference, expression)


class Case:
    def __init__(self, group, name):
        self.group, self.name = group, name
        self.files, self.setup, self.steps = {"wg0": ""}, [], []
        self.keeps = False

    def random_port(self):
        return not any(re.search(r"(?mi)^\s*ListenPort\s*=\s*0*[1-9a-z]", text) for text in self.files.values())


def key(word):
    """A private or public key, or a pre-shared one: always the same for a word."""
    seed = bytearray(hashlib.sha256(word.encode()).digest())
    seed[0] &= 248
    seed[31] = seed[31] & 127 | 64
    return base64.b64encode(bytes(seed)).decode()


def fill_in(text):
    return re.sub(r"(?<!\$)\{(\w+)\}", lambda match: key(match.group(1)), text)


def peer_lines(line):
    """`[a] ALLOWED @ENDPOINT +KEEPALIVE` in wg's words."""
    name, times, rest = re.fullmatch(r"\[(\w+)(?:\*(\d+))?\]\s*(.*)", line).groups()
    allowed, endpoint, keepalive = re.fullmatch(r"([^@+]*?)\s*(?:@(\S+))?\s*(?:\+(\S+))?", rest).groups()
    text = ""
    for number in range(int(times or 1)):
        text += f"\n[Peer]\nPublicKey = {key(name if not times else f'{name}{number}')}\n"
        for word, value in (("AllowedIPs", allowed), ("Endpoint", endpoint), ("PersistentKeepalive", keepalive)):
            text += f"{word} = {value.replace('#', str(number))}\n" if value else ""
    return text


class Reader:
    def __init__(self, path):
        self.path, self.cases, self.group, self.file = path, [], "", "wg0"

    def take(self, number, line):
        if not line.strip() or line.startswith("#"):
            return
        if line.startswith("== "):
            self.group = line[3:].strip()
        elif not line[0].isspace():
            self.cases.append(Case(self.group, line.strip()))
            self.file = "wg0"
        else:
            self.take_inner(number, line.strip())

    def take_inner(self, number, line):
        case, sign, rest = self.cases[-1], line[:2], line[2:]
        if sign == "$ ":
            (case.steps if case.steps else case.setup).append(fill_in(rest) if not case.steps else Step(fill_in(rest)))
        elif sign == "> ":
            case.steps.append(self.step(number, rest))
        elif line == "~ keeps":
            case.keeps = True
        elif sign == "~ ":
            why, _, expression = rest.partition(": ")
            case.steps[-1].explained.append((why, expression))
        elif sign == "@ ":
            self.file = rest
            case.files[rest] = ""
        else:
            self.configuration(case, line)

    def step(self, number, text):
        match = re.fullmatch(r"(\w+ \S+)(?: = (\d+)(?: but (\d+): (\S+))?)?", text)
        assert match, f"{self.path}:{number}: not a step"
        what, theirs, ours, why = match.groups()
        theirs = int(theirs or 0)
        return Step(what, (theirs, int(ours) if ours else theirs), why)

    def configuration(self, case, line):
        text = case.files[self.file]
        if line.startswith("|"):
            text += fill_in(line[1:].lstrip(" ").encode("latin-1", "backslashreplace").decode("unicode_escape")) + "\n"
        else:
            text = text or f"[Interface]\nPrivateKey = {key('private ' + self.file)}\n"
            text += peer_lines(line) if re.match(r"\[\w+(\*\d+)?\]", line) and line[1:10] != "Interface" else fill_in(line) + "\n"
        case.files[self.file] = text


def read(path):
    reader = Reader(path)
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            reader.take(number, line.rstrip("\n"))
    for case in reader.cases:
        if not case.steps:
            case.steps = [Step("up wg0", (0, 0)), Step("down wg0", (0, 0))]
    return reader.cases


def read_all(directory=HERE + "/cases"):
    cases = [case for name in sorted(os.listdir(directory)) if name.endswith(".cases") for case in read(f"{directory}/{name}")]
    names = [case.name for case in cases]
    twice = {name for name in names if names.count(name) > 1}
    assert not twice, f"two cases of the same name: {twice}"
    return cases
