# SPDX-License-Identifier: GPL-2.0-or-later
"""ctest's JUnit file as lines for the tally: junit.py FILE OUTPUT_DIRECTORY

`passed|failed|skipped <tab> NAME <tab> SECONDS <tab> FILE_WITH_OUTPUT`, or for a skipped test the last line that it printed."""
import os
import sys
import xml.etree.ElementTree as ElementTree


def status(case):
    """A program that is not there counts as skipped for ctest; here only a test that said so itself does."""
    skipped = case.find("skipped")
    if skipped is not None:
        return "skipped" if skipped.get("message", "").startswith("SKIP_RETURN_CODE") else "failed"
    return "passed" if case.get("status") == "run" and case.find("failure") is None else "failed"


def keep_output(case, directory):
    path = os.path.join(directory, case.get("name"))
    with open(path, "w", encoding="utf-8") as file:
        file.write(case.findtext("system-out") or "")
    return path


def reason(case):
    lines = (case.findtext("system-out") or "").strip().splitlines()
    return lines[-1] if lines else ""


def main(file, directory):
    os.makedirs(directory, exist_ok=True)
    for case in ElementTree.parse(file).getroot().iter("testcase"):
        path = keep_output(case, directory)
        detail = reason(case) if status(case) == "skipped" else path
        print(status(case), case.get("name"), case.get("time"), detail, sep="\t")


main(*sys.argv[1:])
