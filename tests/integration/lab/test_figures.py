# SPDX-License-Identifier: GPL-2.0-or-later
"""What is kept of measured cycles, and the table that is made of it. Needs no lab; milliseconds."""
import contextlib
import io
import json
import os
import tempfile

import figures
from labtest import ROOT, expect, run
from results import Results, load
from lab.cycle import Cycle
from lab.pings import Window


def cycle(gap_ms, lost=0, **details):
    """Of a hundred pings."""
    made = Cycle("any", 1)
    made.lan = made.far = Window([True] * (100 - lost) + [False] * lost, (0.0, gap_ms / 1000), 0)
    made.details = details
    return made


@contextlib.contextmanager
def kept(*measured):
    """A file of results with these: (what, at, cycles), and whether the machine stood still."""
    with tempfile.TemporaryDirectory(prefix="holdfast-test.") as scratch:
        results = Results(os.path.join(scratch, "results"))
        for what, at, cycles, *still in measured:
            results.add(what, at, cycles, *still)
        yield results


def table(results):
    """Whether all held, and the cells of each line."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        held = figures.write(results.path)
    return held, {cells[1].strip(): [cell.strip() for cell in cells[2:-1]] for cells in
                  (line.split("|") for line in out.getvalue().splitlines()) if len(cells) > 2}


def expect_row(results, event, *cells, held=True):
    said, rows = table(results)
    expect(rows.get(event) == list(cells), f"{event}: {rows.get(event)}, not {list(cells)}")
    expect(said == held, f"{event}: all held: {said}")


def a_cycle_is_counted_once_whatever_its_parts():
    with kept(("drain", 1, [cycle(5, part="away"), cycle(5, part="back")]), ("drain", 2, [cycle(5), cycle(5)])) as results:
        expect(results.done()["drain"] == 2, f"{results.done()} of two cycles")
        expect_row(results, "drained, and back", "2", "none", "none", "none", "0 / 400", "0 lost", "ok")


def what_was_cut_off_was_not_measured():
    with kept(("power", 1, [cycle(150, lost=15)]), ("power", 2, [cycle(160, lost=16)])) as results:
        with open(results.path, "r+b") as file:
            file.truncate(os.path.getsize(results.path) - 2)
        expect(results.done()["power"] == 1, f"{results.done()} of a whole line and one that was cut off")
        results.add("power", 3, [cycle(170, lost=17)])
        expect(results.done()["power"] == 2, f"{results.done()} after one that was cut off another was added")


def another_run_goes_on():
    with kept(("power", 1, [cycle(150, lost=15)])) as results:
        Results(results.path).add("power", 2, [cycle(130, lost=13)])
        expect(results.done()["power"] == 2, f"{results.done()} of two runs")
        with open(results.path, encoding="utf-8") as file:
            lines = file.read().splitlines()
        expect(len(lines) == 3 and "GPL" in lines[0], f"not a licence and a line each: {lines}")
        expect(all(len(line) < 250 and {"rev", "host"} <= set(json.loads(line)) for line in lines[1:]), f"lines are {lines}")


def the_worst_of_a_hundred_is_not_the_99th():
    with kept(*(("power", at, [cycle(100 + at, lost=10)]) for at in range(100))) as results:
        expect_row(results, "owner loses power", "100", "150 ms", "198 ms", "199 ms", "1000 / 10000", "200/350 ms", "ok")


def each_kind_of_client_is_a_row():
    with kept(*(("clients", at, [cycle(190, 19, part="idle"), cycle(210 + at, 21, part="over-ipv6")]) for at in range(3))) as results:
        expect_row(results, "power, client idle", "3", "190 ms", "190 ms", "190 ms", "57 / 300", "200/350 ms", "ok", held=False)
        expect_row(results, "power, client over ipv6", "3", "211 ms", "212 ms", "212 ms", "63 / 300", "200/350 ms", "MISSED", held=False)


def a_way_home_is_a_row_and_counts_once():
    def with_way(lost):
        return cycle(190, 19, part="idle", failback_ms=20.5, failback_lost=lost, failback_sent=80)
    with kept(("clients", 1, [with_way(0), with_way(0)]), ("power", 2, [with_way(0)])) as results:
        expect_row(results, "moved back home after a fault", "2", "none", "none", "none", "0 / 160", "0 lost", "ok")
        results.add("power", 3, [with_way(2)])
        expect_row(results, "moved back home after a fault", "3", "20 ms", "20 ms", "20 ms", "2 / 240", "0 lost", "MISSED", held=False)


def no_time_of_a_machine_that_stood_still_is_judged():
    with kept(("power", 1, [cycle(500, lost=50)], True)) as results:
        expect_row(results, "owner loses power", "1", "500 ms", "500 ms", "500 ms", "50 / 100", "200/350 ms", "not judged")
        results.add("power", 2, [cycle(150, lost=15)])
        expect_row(results, "owner loses power", "2", "325 ms", "500 ms", "500 ms", "65 / 200", "200/350 ms", "ok")
        results.add("power", 3, [cycle(400, lost=40)])
        expect_row(results, "owner loses power", "3", "400 ms", "500 ms", "500 ms", "105 / 300", "200/350 ms", "MISSED", held=False)


def a_lost_packet_counts_whether_it_stood_still_or_not():
    with kept(("drain", 1, [cycle(5)], True)) as results:
        expect_row(results, "drained, and back", "1", "none", "none", "none", "0 / 100", "0 lost", "ok")
        results.add("drain", 2, [cycle(10, lost=1)], True)
        expect_row(results, "drained, and back", "2", "8 ms", "10 ms", "10 ms", "1 / 200", "0 lost", "MISSED", held=False)


def of_what_a_gap_is_made_is_kept():
    with kept(("power", 1, [cycle(150, lost=15, detect_ms=141, takeover_ms=8)]), ("drain", 2, [cycle(5, takeover_ms=None)])) as results:
        first, second = load(results.path)
        expect((first["noticed"], first["taken"]) == (141, 8) and not {"noticed", "taken"} & set(second), f"{first}, {second}")


def a_lab_that_broke_is_told_and_is_no_cycle():
    with kept() as results:
        results.add_error("power", 1, "nobody came\nand more")
        expect(not results.done(), f"{results.done()} of a lab that broke")
        expect(load(results.path)[0]["error"] == "nobody came", "its first line is what is kept")
        expect(not table(results)[0], "it is no failure")


def a_page_keeps_what_is_around():
    with kept(("power", 1, [cycle(150, lost=15)])) as results:
        page = results.path + ".md"
        for old in ("", "old\n"):
            with open(page, "w", encoding="utf-8") as file:
                file.write(f"above\n{figures.BEGIN}\n{old}{figures.END}\nbelow\n")
            figures.write(results.path, page)
            with open(page, encoding="utf-8") as file:
                text = file.read()
            expect(text.startswith(f"above\n{figures.BEGIN}\nMeasured on") and text.endswith(f"\n{figures.END}\nbelow\n") and "old" not in text, text)
            expect("| owner loses power | 1 | 150 ms |" in text, text)


def the_page_in_the_tree_has_its_place():
    with open(os.path.join(ROOT, "docs", "failover-figures.md"), encoding="utf-8") as file:
        text = file.read()
    expect(text.count(figures.BEGIN + "\n") == 1 and text.count(figures.END + "\n") == 1, "the markers of docs/failover-figures.md")


run(a_cycle_is_counted_once_whatever_its_parts, what_was_cut_off_was_not_measured, another_run_goes_on,
    the_worst_of_a_hundred_is_not_the_99th, each_kind_of_client_is_a_row, a_way_home_is_a_row_and_counts_once,
    no_time_of_a_machine_that_stood_still_is_judged, a_lost_packet_counts_whether_it_stood_still_or_not,
    of_what_a_gap_is_made_is_kept, a_lab_that_broke_is_told_and_is_no_cycle, a_page_keeps_what_is_around,
    the_page_in_the_tree_has_its_place)
