#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The alert rules ask for metrics that there are. promtool, where it is installed, checks their form."""
import os
import re
import shutil
import subprocess
import sys

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
RULES = os.path.join(ROOT, "deploy", "prometheus", "holdfast.rules.yaml")


def exported():
    """Names of metrics in the daemons' sources."""
    names = set()
    for room in ("common", "controller", "node-agent"):
        for folder, _, files in os.walk(os.path.join(ROOT, room)):
            for name in files:
                if name.endswith(".c"):
                    with open(os.path.join(folder, name), encoding="utf-8") as file:
                        names.update(re.findall(r'"(holdfast_[a-z_]+)"', file.read()))
    return names


def main():
    with open(RULES, encoding="utf-8") as file:
        text = file.read()
    known, wrong = exported(), []
    rules = re.split(r"^      - alert: ", text, flags=re.MULTILINE)[1:]
    if len(rules) < 5:
        wrong.append(f"only {len(rules)} rules were found")
    for rule in rules:
        name = rule.split("\n", 1)[0]
        expression = re.search(r"^        expr: (.+)$", rule, re.MULTILINE)
        asked = re.findall(r"holdfast_[a-z_]+", expression.group(1)) if expression else []
        if not asked:
            wrong.append(f"{name}: it asks for no metric of ours")
        wrong += [f"{name}: there is no metric {metric}" for metric in asked if metric not in known]
        if "summary:" not in rule or "severity:" not in rule:
            wrong.append(f"{name}: a summary and a severity are needed")
    promtool = shutil.which("promtool")
    if promtool:
        done = subprocess.run([promtool, "check", "rules", RULES], capture_output=True, text=True, check=False)
        if done.returncode:
            wrong.append(done.stdout + done.stderr)
    print("\n".join(wrong) or f"{len(rules)} rules, {'checked by promtool too' if promtool else 'no promtool here'}")
    return bool(wrong)


sys.exit(main())
