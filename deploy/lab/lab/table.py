# SPDX-License-Identifier: GPL-2.0-or-later
"""What a person sees: the strip of pings while it happens, the table at the end. 80 columns."""
import statistics

WIDTH, LABEL, STRIP, STRIP_LEAD = 80, 21, 42, 15
INTERVAL_MS = 5      # between the client's pings, if nobody says otherwise: so nothing may be lost
MEDIAN_OF = 3      # cycles, at least: of one or two there is a worst, but no median worth the name
TAIL_OF = 300      # cycles, at least: of fewer there is no 99th percentile
EVENTS = {"power": "owner loses power", "link": "outer link cut", "drain": "drained, and back", "agent-kill": "agent killed",
          "agent-hang": "agent hangs", "controller-kill": "controller killed"}
HOME = "moved back home"      # by a planned move, after a fault that has moved it


class Promise:
    """What a row must hold. Times are of the client's gap; or, with `back_ms`, from the fault to the gap's end. Without a median only
    the worst counts."""

    def __init__(self, median_ms=None, worst_ms=None, back_ms=None, lossless=False):
        self.median_ms, self.worst_ms, self.back_ms, self.lossless = median_ms, worst_ms, back_ms, lossless

    def words(self):
        if self.lossless:
            return "0 lost"
        if self.back_ms:
            return f"{self.back_ms / 1000:g} s"
        return f"{self.median_ms}/{self.worst_ms} ms" if self.median_ms else f"{self.worst_ms} ms"

    def verdict(self, cycles):
        """'ok', 'noisy' (what each time is too long is no more than this machine's timers were late in it) or 'MISSED'."""
        if self.lossless:
            return "ok" if not any(cycle.lost for cycle in cycles) else "MISSED"
        times = [cycle.details["back_ms"] if self.back_ms else cycle.gap_ms for cycle in cycles]
        if self._in_time(times):
            return "ok"
        return "noisy" if self._in_time([time - cycle.late_ms for time, cycle in zip(times, cycles)]) else "MISSED"

    def _in_time(self, times):
        if tail(times) > (self.back_ms or self.worst_ms):
            return False
        return not self.median_ms or len(times) < MEDIAN_OF or statistics.median(times) <= self.median_ms


def tail(times):
    """The worst; of many, the 99th percentile."""
    return max(times) if len(times) < TAIL_OF else sorted(times)[len(times) * 99 // 100]


LEASE_MS = 3000      # of the lab's fleet file
PROMISES = {"power": Promise(200, 350), "link": Promise(200, 350), "agent-kill": Promise(lossless=True),
            "controller-kill": Promise(lossless=True), "drain": Promise(lossless=True), "agent-hang": Promise(back_ms=LEASE_MS + 350)}
# What is promised so far where many more peers are configured: a WireGuard in userspace is busy with them, too.
CROWDED = {**PROMISES, "power": Promise(500, 1000), "link": Promise(500, 1000)}


HOMEWARD = Promise(lossless=True)


class Homeward:
    """Of a cycle, how it came back to where it began, as a row wants it."""

    def __init__(self, details):
        self.gap_ms, self.lost, self.sent = (details[f"failback_{name}"] for name in ("ms", "lost", "sent"))


def heading(implementation, kernel, cpus, late_p99_ms, interval_ms):
    return ("Holdfast demo: two gateways, a stock WireGuard client behind a port-changing NAT\n"
            f"{implementation}, Linux {kernel}, {cpus} CPUs, timer delay p99 {late_p99_ms:.1f} ms. '.' answered, 'x' lost"
            + ("" if interval_ms == INTERVAL_MS else f"\na ping every {interval_ms} ms"))


def strip(window, columns=STRIP):
    """The pings around the gap, one character each; the whole window, several to a character, where the gap is too long for that.
    Returns it and how many pings a character stands for."""
    answered, first_lost = window.answered, window.first_lost
    start = max(0, (first_lost if first_lost is not None else len(answered) // 2) - STRIP_LEAD)
    last_lost = max((i for i, ok in enumerate(answered) if not ok), default=start)
    each = 1 if last_lost - start < columns else -(-len(answered) // columns)
    shown = answered[start:] if each == 1 else answered
    groups = [shown[i:i + each] for i in range(0, len(shown), each)][:columns]
    return "".join("." if all(group) else "x" for group in groups).ljust(columns), each


def label(fault, number, cycles):
    return f"{f'{fault} {number}/{cycles}':<{LABEL}}"


def cycle_line(cycle, cycles):
    """`power 3/5   ......xxxx......  141 ms, now gw-b`"""
    gap = "none" if not cycle.worse.lost else duration(cycle.gap_ms)
    result = f"{gap}, now {cycle.owner or '?'}"
    pings, each = strip(cycle.worse, min(STRIP, WIDTH - LABEL - 2 - len(result)))
    if each > 1:
        result += f" ({each} a mark)"
        pings, _ = strip(cycle.worse, min(STRIP, WIDTH - LABEL - 2 - len(result)))
    return f"{label(cycle.fault, cycle.number, cycles)}{pings}  {result}"


def duration(ms):
    return f"{ms:.0f} ms" if ms < 10_000 else f"{ms / 1000:.1f} s"


def _number(value):
    return f"{value:,}".replace(",", " ")


def _row(event, cycles, median, worst, lost_sent, promise):
    return f" {event:<17}  {cycles:>6}  {median:>10}  {worst:>7}  {lost_sent:>15}  {promise:<14}".rstrip()


def _fault_row(event, cycles, promise):
    gaps = [c.gap_ms for c in cycles]
    lost, sent = sum(c.lost for c in cycles), sum(c.sent for c in cycles)
    words = f"{promise.words()} {promise.verdict(cycles)}".strip() if promise else ""
    return _row(event, len(cycles), "none" if not lost else duration(statistics.median(gaps)),
                "none" if not lost else duration(max(gaps)), f"{_number(lost)} / {_number(sent):>6}", words)


def table(cycles, baseline, baseline_wanted, promises):
    """The rows by fault, in the order in which they were run."""
    lines = [_row("event", "cycles", "gap median", "worst", "lost / sent", "promise"),
             _row("-" * 17, "-" * 6, "-" * 10, "-" * 7, "-" * 15, "-" * 14)]
    lines += [_fault_row(EVENTS[fault], rows, promises[fault]) for fault, rows in by_fault(cycles).items()]
    if homeward(cycles):
        lines.append(_fault_row(HOME, homeward(cycles), HOMEWARD))
    if baseline_wanted:
        lines.append(" " + "-- the same with keepalived (0.1 s adverts) and wg-quick ".ljust(78, "-"))
        lines += [_fault_row(EVENTS[fault], rows, None) for fault, rows in by_fault(baseline).items()]
    return "\n".join(lines)


def by_fault(cycles):
    rows = {}
    for cycle in cycles:
        rows.setdefault(cycle.fault, []).append(cycle)
    return rows


def homeward(cycles):
    return [Homeward(cycle.details) for cycle in cycles if "failback_lost" in cycle.details]


def held(cycles, promises):
    """Whether every promised row held; a noisy one does not count as broken."""
    faults = all(promises[fault].verdict(rows) != "MISSED" for fault, rows in by_fault(cycles).items())
    return faults and HOMEWARD.verdict(homeward(cycles)) != "MISSED"


def where_the_time_went(cycles):
    """One sentence on a power cut, '' if no cycle knows."""
    known = [c for c in cycles if c.fault == "power" and c.details.get("detect_ms") is not None
             and c.details.get("takeover_ms") is not None]
    if not known:
        return ""
    notice = statistics.median(c.details["detect_ms"] for c in known)
    move = statistics.median(c.details["takeover_ms"] for c in known)
    return f"A power cut, median: {notice:.0f} ms to notice and agree, {move:.0f} to move and re-key."
