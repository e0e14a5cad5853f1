# SPDX-License-Identifier: GPL-2.0-or-later
"""Where holdfast is meant to differ from Debian's wg-quick. The list is the table in docs/wg-quick.md, which people read,
too: a name, what wg-quick does, what holdfast does and why, the inventory's line. Those that show in nearly every run are
made alike here; the others are written beside the cases in which they occur."""
import os
import re

from compare import ROOT

DOCUMENT = os.environ.get("HOLDFAST_DIFFERENCES", ROOT + "/docs/wg-quick.md")
ROW = re.compile(r"\| `([a-z0-9-]+)` \| (.*?) \| (.*?) \| (.*?) \|$")


def read(path=DOCUMENT):
    """Name -> the row's other columns."""
    with open(path, encoding="utf-8") as file:
        rows = [ROW.match(line.rstrip()) for line in file]
    listed = {row.group(1): row.groups()[1:] for row in rows if row}
    assert listed, f"{path}: no table of differences"
    return listed


def route_protocol(theirs, ours):
    return theirs, re.sub(r" proto 158\b", "", ours)


def table_comment(theirs, ours):
    return theirs, re.sub(r'(?m)^\tcomment "holdfast up [^"]*"\n', "", ours)


def valid_mark_restored(theirs, ours):
    line = "net.ipv4.conf.all.src_valid_mark = "
    return theirs, ours.replace(line + "0", line + "1") if line + "1" in theirs else ours


EVERYWHERE = {
    "route-protocol": route_protocol,
    "table-comment": table_comment,
    "valid-mark-restored": valid_mark_restored,
}


def make_alike(theirs, ours, seen):
    """The two texts without what differs everywhere; adds to `seen` what did differ."""
    for name, change in EVERYWHERE.items():
        changed = change(theirs, ours)
        if changed != (theirs, ours):
            seen.add(name)
        theirs, ours = changed
    return theirs, ours
