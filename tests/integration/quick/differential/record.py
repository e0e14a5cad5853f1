# SPDX-License-Identifier: GPL-2.0-or-later
"""What a long run has done so far: a line of JSON for each random configuration, so that the next call goes on."""
import json
import os


class Record:
    def __init__(self, path, seed, wanted):
        self.path, self.seed, self.wanted, self.done, self.failed, self.came_up = path, seed, wanted, set(), 0, 0
        lines = self.lines()
        if lines and sum(line["seed"] == lines[-1]["seed"] for line in lines) < wanted:
            self.seed = lines[-1]["seed"]
        for line in lines:
            if line["seed"] == self.seed:
                self.done.add(line["number"])
                self.failed += bool(line["problems"])
                self.came_up += line["came_up"]

    def lines(self):
        if not os.path.exists(self.path):
            return []
        with open(self.path, encoding="utf-8") as file:
            return [json.loads(line) for line in file if line.endswith("\n")]

    def left(self):
        return [number for number in range(self.wanted) if number not in self.done]

    def add(self, number, result):
        """One write: what a kill leaves is a line or none."""
        self.done.add(number)
        self.failed += bool(result.problems)
        self.came_up += result.came_up
        line = json.dumps({"seed": self.seed, "number": number, "seconds": round(result.seconds, 2), "came_up": result.came_up, "problems": result.problems})
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(line + "\n")

    def summary(self):
        return f"seed {self.seed}: {len(self.done)} of {self.wanted} random and large configurations so far, {self.came_up} came up, {self.failed} with unexplained differences"
