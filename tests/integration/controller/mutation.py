# SPDX-License-Identifier: GPL-2.0-or-later
"""Right fleet files with something broken at random, as in tests/unit/fleet/test_mutations.c: lines gone, twice, moved, taken from another
file; words exchanged; other digits; bytes flipped; the end cut off. The same for the same seed, on every machine."""
import pathlib
import random
import re

RIGHT = pathlib.Path(__file__).resolve().parents[2] / "unit/fleet/right"
CHANGES_MAX, GROWTH_MAX = 4, 65536
WORD_ENDS = re.compile(rb'[ \n{}\[\],:"]')
WORDS = (b"", b"null", b"~", b"[]", b"{}", b"*x", b"&x", b"<<", b"!!str", b"-1", b"0", b"4294967296", b"18446744073709551616", b"::/0", b'"::/0"',
         b"0.0.0.0/0", b"any", b"off", b"- ", b"? ", b"|\n", b'"', b"'", b"%", b"@", b"1e9", b"0x7fffffffffffffff", b"2027-03-31", b"gw-a",
         b"gw-b", b"wg0", b"../..", b"\t", b"\r", b"\0", b"\xff", b"\xf0\x9f\x92\xa9", b"\x01")


class Mutations:
    def __init__(self, seed):
        self._random = random.Random(seed)
        self._files = [path.read_bytes() for path in sorted(RIGHT.glob("*.yaml"))]

    def next(self):
        """As text, in which what is no UTF-8 is lone surrogates."""
        data = self._random.choice(self._files)
        for _ in range(self._random.randint(1, CHANGES_MAX)):
            if 2 <= len(data) <= GROWTH_MAX:
                data = self._change(data, self._random.choice(self._files))
        return data.decode(errors="surrogateescape")

    def pick(self, items):
        return self._random.choice(items)

    def _change(self, data, other):
        at, kind = self._random.randrange(len(data)), self._random.randrange(10)
        if kind == 0:
            return data[:at] + self._byte() + data[at + 1:]
        if kind == 1:
            return data[:at] + self._byte() + data[at:]
        if kind == 2:
            return data[:at] + data[at + 1:] if self._random.randrange(8) else data[:at]
        if kind in (3, 4):
            return self._change_lines(data, other)
        if kind in (5, 6):
            return self._change_digit(data)
        return self._change_word(data, other)

    def _byte(self):
        return bytes([self._random.randrange(256)])

    def _change_lines(self, data, other):
        """One is gone, another's is there instead, or before it."""
        lines, others = data.splitlines(True), other.splitlines(True)
        at = self._random.randrange(len(lines))
        lines[at:at + self._random.choice((0, 1, 1))] = self._random.choice(([], [self._random.choice(others)]))
        return b"".join(lines)

    def _change_digit(self, data):
        """Mostly it stays a fleet, and another one."""
        digits = [match.start() for match in re.finditer(rb"[0-9]", data)]
        if not digits:
            return data
        at = self._random.choice(digits)
        return data[:at] + b"%d" % self._random.randrange(10) + data[at + 1:]

    def _word(self, data):
        """Where one begins and ends."""
        at = self._random.randrange(len(data))
        end = WORD_ENDS.search(data, at)
        begin = max((match.end() for match in WORD_ENDS.finditer(data, 0, at)), default=0)
        return begin, end.start() if end else len(data)

    def _change_word(self, data, other):
        begin, end = self._word(data)
        other_begin, other_end = self._word(other)
        word = self._random.choice((self._random.choice(WORDS), other[other_begin:other_end]))
        return data[:begin] + word + data[max(begin, end):]
