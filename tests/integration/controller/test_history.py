#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What was in force, and back to it: history, rollback, a confirmation that does not come, and who did what."""
import contextlib
import json
import os
import pty
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bench import BIN, fleet_text, key_text, main, until  # noqa: E402

BOTH, ALICE = ("alice", "bob"), ("alice",)


def rollback(bench, number, **options):
    return bench.call("POST", "/v1/rollback", {"generation": number}, **options)


def history(bench, query=""):
    status, answer = bench.call("GET", "/v1/history" + query, who="dashboard")
    assert status == 200, answer
    return answer


def audit(bench, wanted, query="?limit=1000"):
    """Rows are written a moment after the answer."""
    def rows():
        status, answer = bench.call("GET", "/v1/audit" + query)
        assert status == 200, answer
        found = [(row["who"], row["what"], row["target"], row["generation"], row["status"]) for row in answer["audit"]]
        return found if wanted in found else None
    return until(f"{wanted} is in the trail", rows)


def peers_of(agent):
    return [peer["name"] for peer in agent.held["peers"]]


def test_a_rollback_is_a_new_generation(bench):
    gw_a, gw_b = bench.start_pair()
    assert bench.apply(fleet_text(peers=BOTH))[0] == 200
    assert bench.apply(fleet_text(peers=ALICE).replace("51820", "51821"))[0] == 200
    status, answer = rollback(bench, 2, headers={"If-Match": "\"2\""})
    assert status == 412 and "generation 3" in answer["detail"] and "operator alice" in answer["detail"], answer
    status, answer = rollback(bench, 2, headers={"If-Match": "\"3\""})
    assert status == 200 and answer["generation"] == 4 and answer["changed"], answer
    assert answer["admits"] == ["admits bob in wg0"], answer
    assert sorted(peers_of(gw_a)) == sorted(peers_of(gw_b)) == ["alice", "bob"] and gw_a.generation == gw_b.generation == 4
    files = bench.call("GET", "/v1/history/2")[1]["files"]
    assert files == bench.call("GET", "/v1/fleet")[1]["files"] and "bob" in files[0]["text"]
    assert "rollback to 2" in bench.events(kind="apply")[-1]["text"]

    generations = history(bench)["generations"]
    assert [item["generation"] for item in generations] == [1, 2, 3, 4]
    assert [item["peers"] for item in generations] == [
        {"added": 1, "changed": 0, "removed": 0}, {"added": 1, "changed": 0, "removed": 0},
        {"added": 0, "changed": 0, "removed": 1}, {"added": 1, "changed": 0, "removed": 0}], generations
    assert [item["other"] for item in generations][1:] == [0, 1, 1], generations
    assert generations[3]["what"] == "rollback to 2" and generations[3]["applied_by"] == "operator alice"
    page = history(bench, "?after=1&limit=2")
    assert [item["generation"] for item in page["generations"]] == [2, 3] and page["next"] == 3, page
    assert bench.call("GET", "/v1/history?limit=0")[0] == bench.call("GET", "/v1/history?limit=1001")[0] == 400

    status, answer = rollback(bench, 2)
    assert status == 200 and not answer["changed"] and answer["generation"] == 4, answer
    status, answer = rollback(bench, 77)
    assert status == 404 and "77 is not kept" in answer["detail"], answer
    assert bench.call("GET", "/v1/history/77")[0] == 404
    assert bench.apply(fleet_text(peers=()))[1]["generation"] == 5  # no number was lost on the way

    # Who did what; also what was refused, and whoever may not.
    assert rollback(bench, 2, who="dashboard")[0] == 403
    status, answer = bench.call("POST", "/v1/endpoints/vpn/move", {"to": "gw-z"})
    assert status >= 400, answer
    assert bench.call("POST", "/v1/gateways/gw-b/resume")[0] == 200 and bench.call("POST", "/v1/freeze")[0] == 200
    rows = audit(bench, ("operator alice", "freeze", "", 5, 200))
    expected = [("the fleet file, at the first start", "apply", "", 1, 200), ("operator alice", "apply", "", 2, 200), ("operator alice", "apply", "", 3, 200),
                ("operator alice", "rollback", "generation 2", 3, 412), ("operator alice", "rollback", "generation 2", 4, 200),
                ("operator alice", "rollback", "generation 2", 4, 200), ("operator alice", "rollback", "generation 77", 4, 404),
                ("operator alice", "apply", "", 5, 200), ("operator dashboard", "rollback", "generation 2", 5, 403),
                ("operator alice", "move", "vpn to gw-z", 5, status), ("operator alice", "resume", "gw-b", 5, 200),
                ("operator alice", "freeze", "", 5, 200)]
    assert [row for row in rows if row[:2] != ("operator alice", "move") or row[4] == status] == expected, rows
    seq = 1 + rows.index(expected[3])
    answer = bench.call("GET", f"/v1/audit?after={seq - 1}&limit=1")[1]
    assert [row["seq"] for row in answer["audit"]] == [seq] and answer["next"] == seq, answer
    assert "generation 3" in answer["audit"][0]["detail"], answer


def test_confirmed_in_time(bench):
    gw_a, _ = bench.start_pair()
    assert bench.call("PUT", "/v1/fleet?confirm_ms=999", {"files": []})[0] == 400
    assert bench.call("POST", "/v1/confirm")[0] == 409
    status, answer = bench.call("PUT", "/v1/fleet?confirm_ms=600000", {"files": [{"name": "fleet.yaml", "text": fleet_text(peers=BOTH)}]})
    assert status == 200 and answer["confirm_ms"] == 600000, answer
    awaited = bench.status()["confirmation"]
    assert awaited["generation"] == 2 and awaited["back_to"] == 1 and 500000 < awaited["left_ms"] <= 600000, awaited
    assert awaited["applied_by"] == "operator alice"
    status, answer = bench.apply(fleet_text(peers=()))
    assert status == 409 and "'holdfast confirm' keeps it, 'holdfast rollback 1' takes it back" in answer["detail"], answer
    assert any("awaits a confirmation" in warning for warning in bench.health("/readyz")[1]["warnings"])
    assert bench.call("POST", "/v1/confirm", {"generation": 1})[0] == 409
    assert bench.call("POST", "/v1/confirm", {"generation": 2}) == (200, {"generation": 2})
    assert bench.status()["confirmation"] is None and bench.call("POST", "/v1/confirm")[0] == 409
    bench.stop()
    bench.start()
    assert bench.status()["confirmation"] is None
    assert bench.call("PUT", "/v1/fleet?confirm_ms=600000", {"files": [{"name": "fleet.yaml", "text": fleet_text(peers=())}]})[0] == 200
    assert rollback(bench, 2)[0] == 200 and bench.status()["confirmation"] is None  # a person's rollback ends it, too
    until("gw-a holds it", lambda: gw_a.generation == 4)
    # Whoever goes back to the very generation that awaits it has chosen it, in this life and the next.
    assert bench.call("PUT", "/v1/fleet?confirm_ms=600000", {"files": [{"name": "fleet.yaml", "text": fleet_text(peers=())}]})[0] == 200
    status, answer = rollback(bench, 5)
    assert status == 200 and answer["generation"] == 5 and not answer["changed"], answer
    assert bench.status()["confirmation"] is None and bench.events(kind="confirmed")[-1]["generation"] == 5
    bench.stop()
    bench.start()
    assert bench.status()["confirmation"] is None and bench.status()["generation"] == 5


def test_confirmed_while_the_apply_still_waits(bench):
    """A gateway has not said yet that it holds the generation: that is no reason to refuse the confirmation."""
    _, gw_b = bench.start_pair()
    obey, commits, told = gw_b.obey, [], threading.Event()

    def obey_all_but_the_commit(instruction):
        if instruction["kind"] == "commit":
            commits.append(instruction)
            told.set()
        else:
            obey(instruction)

    gw_b.obey = obey_all_but_the_commit
    applied = []
    applying = threading.Thread(target=lambda: applied.append(
        bench.call("PUT", "/v1/fleet?confirm_ms=600000", {"files": [{"name": "fleet.yaml", "text": fleet_text(peers=BOTH)}]})))
    applying.start()
    assert told.wait(30)
    assert bench.call("POST", "/v1/confirm") == (200, {"generation": 2})
    assert bench.status()["confirmation"] is None
    with gw_b.changed:
        obey(commits[0])
    gw_b.report()
    applying.join()
    assert applied[0][0] == 200, applied


def test_rolled_back_without_those_that_refuse_or_are_away(bench):
    gw_a, gw_b = bench.start_pair()
    obey = gw_b.obey

    def obey_until_the_second(instruction):
        obey(instruction)
        if gw_b.generation == 2:
            gw_b.refusal = "/etc/holdfast/wg0.key: no such file"

    gw_b.obey = obey_until_the_second
    status, answer = bench.call("PUT", "/v1/fleet?confirm_ms=1500", {"files": [{"name": "fleet.yaml", "text": fleet_text(peers=BOTH)}]})
    assert status == 200 and gw_b.generation == 2, answer
    until("gw-a is back", lambda: gw_a.generation == 3)
    assert peers_of(gw_a) == ["alice"]
    until("nothing is awaited", lambda: bench.status()["confirmation"] is None)
    until("gw-b says why not", lambda: "/etc/holdfast/wg0.key: no such file" in bench.gateway("gw-b")["reasons"])
    assert gw_b.generation == 2 and bench.gateway("gw-b")["behind"]
    until("gw-a is not behind", lambda: not bench.gateway("gw-a")["behind"])
    last = history(bench)["generations"][-1]
    assert last["what"] == "rollback to 1: generation 2 was not confirmed within 1500ms" and last["applied_by"] == "the controller", last
    audit(bench, ("the controller", "rollback", "generation 1", 3, 200))
    gw_b.stop()
    again = bench.agent("gw-b").start()
    until("gw-b has followed", lambda: again.generation == 3 and not bench.gateway("gw-b")["behind"])
    assert peers_of(again) == ["alice"]


def rows_of_generations(bench):
    """What the trail on the disk has of each generation there: one row, whatever became of the controller."""
    with contextlib.closing(sqlite3.connect(bench.directory / "state/controller.db")) as database:
        rows = database.execute("SELECT generations.number, audit.who, audit.what, audit.target FROM generations "
                                "LEFT JOIN audit ON audit.generation = generations.number AND audit.status = 200 "
                                "AND audit.what IN ('apply', 'rollback')").fetchall()
    assert len(rows) == len({row[0] for row in rows}) and all(row[1] for row in rows), rows
    return {row[0]: row[1:] for row in rows}


def test_rolled_back_by_a_later_life(bench):
    gw_a, gw_b = bench.start_pair()
    assert bench.call("PUT", "/v1/fleet?confirm_ms=600000", {"files": [{"name": "fleet.yaml", "text": fleet_text(peers=BOTH)}]})[0] == 200
    bench.stop(signal.SIGKILL)
    assert rows_of_generations(bench) == {1: ("the fleet file, at the first start", "apply", ""), 2: ("operator alice", "apply", "")}
    bench.start()
    assert bench.status()["confirmation"]["left_ms"] > 300000 and gw_a.generation == 2
    bench.stop(signal.SIGKILL)
    database = sqlite3.connect(bench.directory / "state/controller.db")
    database.execute("UPDATE confirmation SET deadline_ms = deadline_ms - 600000")  # so long it was away
    database.commit()
    database.close()
    bench.start()
    until("both are back", lambda: gw_a.generation == gw_b.generation == 3)
    assert peers_of(gw_a) == peers_of(gw_b) == ["alice"] and bench.status()["generation"] == 3
    assert bench.status()["confirmation"] is None and "was not confirmed" in json.dumps(history(bench))
    assert rows_of_generations(bench)[3] == ("the controller", "rollback", "generation 1")


def holdfast(bench, *words):
    done = subprocess.run([BIN / "holdfast", "--controller", f"unix:{bench.directory}/run/controller.sock", *words], capture_output=True,
                          text=True, stdin=subprocess.DEVNULL, timeout=60)
    return done.returncode, done.stdout, done.stderr


def test_what_an_operator_types(bench):
    gw_a, gw_b = bench.start_pair()
    file = bench.directory / "next.yaml"
    file.write_text(fleet_text(peers=("carol",)).replace("    listen_port: 51820", "    listen_port: 51820\n    mtu: 1380"))
    with gw_a.changed:
        gw_a.sessions = [dict(tunnel="wg0", public_key=key_text("alice"), endpoint="192.0.2.1:4500", age_ms=1000)]
    until("alice is connected", lambda: bench.endpoint()["sessions"] == 1)
    status, out, err = holdfast(bench, "plan", "--exit-code", file)
    assert status == 3 and out.splitlines() == [
        "gw-a:", "  ~ tunnel wg0: mtu automatic -> 1380", "  - peer alice in wg0 [10.50.0.2/32]",
        "  + peer carol in wg0 [10.50.0.2/32]", "gw-b: as gw-a", "",
        "whose sessions it costs: 1 peer, 1 of them connected now", "  alice in wg0: removed, connected now", "",
        "peers: 1 added, 0 changed, 1 removed; other changes: 1",
        f"against generation 1; to apply just this: holdfast apply {file} --expect 1"], out + err
    told = json.loads(holdfast(bench, "plan", "--json", file)[1])
    assert told["generation"] == 1 and told["sessions"] == 1 and told["changes"], told
    assert told["costs"] == [{"peer": "alice", "tunnel": "wg0", "why": "removed", "connected": True}], told
    assert bench.status()["generation"] == 1 and gw_a.generation == 1  # a plan changes nothing

    status, out, err = holdfast(bench, "apply", file, "--expect", "7")
    assert status == 1 and not out and "it is at generation 1 now, applied by the fleet file, at the first start, and not at 7" in err, err
    status, out, err = holdfast(bench, "apply", file, "--expect", "1", "--confirm", "10m")
    assert status == 0 and "it is rolled back in 10m unless 'holdfast confirm' comes before that" in out, out + err
    assert out.startswith("gw-a:\n  ~ tunnel wg0: mtu automatic -> 1380\n") and "alice in wg0: removed, connected now" in out, out
    assert out.index("against generation 1\n") < out.index("generation 2 is in force"), out
    assert err == "", err  # progress is for terminals
    assert holdfast(bench, "plan", "--exit-code", file)[:2] == (0, "no changes against generation 2\n")
    assert "generation 2 awaits a confirmation for another" in holdfast(bench, "status")[1]
    file.write_text(fleet_text(peers=()))
    status, out, err = holdfast(bench, "apply", file)
    assert status == 1 and "awaits a confirmation" in err, err
    assert holdfast(bench, "confirm") == (0, "generation 2 stays\n", "")
    assert holdfast(bench, "confirm", "--json")[0] == 1 and holdfast(bench, "confirm", "2")[0] == 2
    # By one that still believes in generation 1: refused.
    assert holdfast(bench, "apply", file, "--expect", "1")[0] == 1
    assert bench.apply(file.read_text(), headers={"If-Match": '"1"'})[0] == 412

    status, out, err = holdfast(bench, "rollback", "1")
    assert status == 1 and "admits alice in wg0" in out and "say --yes" in err and bench.status()["generation"] == 2, out + err
    assert holdfast(bench, "rollback", "1", "--dry-run")[0] == 0 and bench.status()["generation"] == 2
    status, out, err = holdfast(bench, "rollback", "1", "--yes")
    assert status == 0 and out.index("admits alice in wg0") < out.index("generation 3 is in force"), out + err
    assert out.endswith("'holdfast history 1 --out DIR' writes the files of generation 1\n"), out
    assert peers_of(gw_a) == peers_of(gw_b) == ["alice"]
    assert holdfast(bench, "rollback", "9")[0] == 1 and holdfast(bench, "rollback", "x")[0] == 2
    lines = holdfast(bench, "history")[1].splitlines()
    assert len(lines) == 4 and lines[3].split()[0] == "3" and "+1 ~0 -1" in lines[3] and lines[3].endswith("rollback to 1"), lines
    audit(bench, ("root", "rollback", "generation 1", 3, 200))
    out = holdfast(bench, "history", "--audit")[1]
    assert "refused: the fleet has changed meanwhile" in out and "rollback generation 1" in out, out
    assert len(json.loads(holdfast(bench, "history", "--json")[1])["generations"]) == 3
    # What is much is cut for people who did not ask for all of it, and never for programs.
    assert bench.apply(fleet_text(peers=[f"p{number}" for number in range(60)]))[0] == bench.apply(fleet_text(peers=()))[0] == 200
    out = holdfast(bench, "rollback", "4", "--dry-run")[1]
    assert out.count("+ peer p") == out.count("and 20 more (--all lists them)") * 40 == 40 and "and 40 more peers (--all" in out, out
    out = holdfast(bench, "rollback", "4", "--dry-run", "--all")[1]
    assert out.count("+ peer p") == out.count("admits p") == 60 and " more" not in out, out
    told = json.loads(holdfast(bench, "rollback", "4", "--dry-run", "--json")[1])
    assert len(told["admitted"]) == len(told["gateways"][0]["changes"]) == 60, told


def test_files_of_a_generation(bench):
    """Back on the disk as they were beside each other, and never where they were not meant to be. 3 s."""
    bench.start()
    fleet, more = "include: [ peers.d/*.yaml ]\n" + fleet_text(peers=()), "peers:\n" + fleet_text().split("peers:\n")[1]

    def put(*names):
        return bench.call("PUT", "/v1/fleet", {"files": [{"name": name, "text": text} for name, text in zip(names, (fleet, more))]})[0]

    def write(number, to, *words):
        return holdfast(bench, "history", str(number), "--out", str(bench.directory / to), *words)

    assert put("/etc/holdfast/fleet.yaml", "/etc/holdfast/peers.d/alice.yaml") == put("fleet.yaml", "../alice.yaml") == 200
    assert put("etc/fleet.yaml", "etc/sub/../../alice.yaml") == put("a/fleet.yaml", "/alice.yaml") == 200
    status, out, err = holdfast(bench, "history", "1")
    assert (status, out.split()) == (0, ["FILE", "SIZE", "/etc/holdfast/fleet.yaml", str(len(fleet)), "B",
                                         "/etc/holdfast/peers.d/alice.yaml", str(len(more)), "B"]), out + err
    status, out, err = write(1, "old")
    old = bench.directory / "old"
    assert (status, out) == (0, f"{old}/fleet.yaml: written, and 1 file that it includes; 'holdfast plan {old}/fleet.yaml' compares it "
                                "with what is in force\n"), out + err
    assert (old / "fleet.yaml").read_text() == fleet and (old / "peers.d/alice.yaml").read_text() == more
    assert holdfast(bench, "validate", old / "fleet.yaml")[0] == 0
    # None is replaced, and of those that would be new none is there then.
    (old / "fleet.yaml").unlink()
    status, out, err = write(1, "old")
    assert status == 1 and "peers.d/alice.yaml" in err and not (old / "fleet.yaml").exists(), out + err
    for number in (2, 3, 4):
        status, out, err = write(number, f"new{number}")
        assert status == 1 and "alice.yaml: was not in the directory of the fleet file" in err and "--json" in err, out + err
        assert not list(bench.directory.glob("**/new*/*.yaml")) and not (bench.directory / "alice.yaml").exists()
    assert json.loads(write(1, "json", "--json")[1]) == {
        "generation": 1, "files": [f"{bench.directory}/json/fleet.yaml", f"{bench.directory}/json/peers.d/alice.yaml"]}
    assert json.loads(holdfast(bench, "history", "2", "--json")[1])["files"][1] == {"name": "../alice.yaml", "text": more}
    for words in (["x"], ["1", "2"], ["--out", "x"], ["1", "--audit"], ["0"]):
        assert holdfast(bench, "history", *words)[0] == 2, words
    status, out, err = holdfast(bench, "history", "9")
    assert status == 1 and "9 is not kept" in err, err


class Asked:
    """holdfast apply, asked on a terminal."""

    def __init__(self, bench, *words):
        self.ours, theirs = pty.openpty()
        self.process = subprocess.Popen([BIN / "holdfast", "--controller", f"unix:{bench.directory}/run/controller.sock", "apply", *words],
                                        stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        os.close(theirs)
        self.said = ""

    def wait(self):
        while "apply? [y/N] " not in self.said:
            self.said += (got := self.process.stderr.read(1))
            assert got, self.said
        return self

    def answer(self, text):
        os.write(self.ours, text.encode())
        return self.end()

    def end(self):
        out, err = self.process.communicate(timeout=60)
        os.close(self.ours)
        return self.process.returncode, out, self.said + err


def test_two_who_apply(bench):
    """Each is shown the plan and asked; whoever is second is refused, whether a person was slow to answer or nobody was asked. 2 s."""
    bench.write_config(fleet="fleet.yaml")
    (bench.directory / "fleet.yaml").write_text(fleet_text())
    bench.start()
    file = bench.directory / "next.yaml"
    file.write_text(fleet_text(peers=BOTH))
    for no in ("n\n", "\n", "\x04"):
        status, out, err = Asked(bench, file).wait().answer(no)
        assert status == 1 and "+ peer bob in wg0" in out and "nothing was done" in err and bench.status()["generation"] == 1, out + err
    slow = Asked(bench, file).wait()
    other = bench.directory / "other.yaml"
    other.write_text(fleet_text(peers=("carol",)))
    status, out, err = Asked(bench, "--yes", other).end()
    assert status == 0 and "+ peer carol in wg0" in out and "generation 2 is in force" in out and "[y/N]" not in err, out + err
    status, out, err = slow.answer("y\n")
    assert status == 1 and "it is at generation 2 now, applied by root: plan again" in err and "is in force" not in out, out + err
    assert bench.status()["generation"] == 2
    status, out, err = Asked(bench, file).wait().answer("y\n")
    assert status == 0 and "- peer carol in wg0" in out and "against generation 2\n" in out and "generation 3 is in force" in out, out + err
    # Nothing to ask about, and for programs one answer.
    status, out, err = Asked(bench, file).end()
    assert (status, out) == (0, "no changes against generation 3\nnothing to do: generation 3 is this already\n"), out + err
    status, out, err = holdfast(bench, "apply", "--json", other)
    assert status == 0 and json.loads(out)["generation"] == 4 and "+ peer carol in wg0" in err, out + err
    # The first of all, against no fleet.
    bench.stop()
    shutil.rmtree(bench.directory / "state")
    bench.write_config()
    bench.start()
    status, out, err = holdfast(bench, "apply", file, "--expect", "1")
    assert status == 1 and "there is no fleet yet, and not generation 1: plan again" in err, err
    status, out, err = holdfast(bench, "apply", file)
    assert status == 0 and "gw-a (new):" in out and "against generation 0\n" in out and "generation 1 is in force" in out, out + err


def test_progress_on_a_terminal(bench):
    _, gw_b = bench.start_pair()
    file = bench.directory / "next.yaml"
    file.write_text(fleet_text(peers=BOTH))
    asked, answer = threading.Event(), gw_b.answer_stage
    gw_b.answer_stage = lambda delta: asked.wait(20) and answer(delta)
    ours, theirs = pty.openpty()
    process = subprocess.Popen([BIN / "holdfast", "--controller", f"unix:{bench.directory}/run/controller.sock", "apply", file],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=theirs, text=True)
    os.close(theirs)
    shown = b""
    while b"generation 2: staging, 1 of 2 gateways" not in shown:
        shown += os.read(ours, 4096)
    asked.set()
    out, _ = process.communicate(timeout=60)
    os.close(ours)
    assert process.returncode == 0 and "generation 2 is in force" in out, out
    assert bench.status()["apply"] is None


main([test_progress_on_a_terminal, test_two_who_apply, test_files_of_a_generation, test_what_an_operator_types, test_a_rollback_is_a_new_generation, test_confirmed_in_time, test_confirmed_while_the_apply_still_waits, test_rolled_back_without_those_that_refuse_or_are_away,
      test_rolled_back_by_a_later_life])
