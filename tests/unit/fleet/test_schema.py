#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""deploy/fleet.schema.json, which editors complete and check fleet files by: what the reader takes, it takes; what nobody knows, it
refuses; and docs/fleet.md shows every key of it. That its keys are the reader's own is test_keys.c's."""
import copy
import json
import os
import re
import sys

try:
    import jsonschema
    import yaml
except ImportError as missing:
    print(f"skipped: {missing} (Debian: python3-jsonschema, python3-yaml)")
    sys.exit(77)

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
RIGHT = os.path.join(ROOT, "tests", "unit", "fleet", "right")
EXAMPLES = os.path.join(ROOT, "deploy", "examples")
SCHEMA = json.load(open(os.path.join(ROOT, "deploy", "fleet.schema.json"), encoding="utf-8"))


class Loader(yaml.SafeLoader):
    """As editors read it: dates are texts."""


Loader.yaml_implicit_resolvers = {first: [(tag, expression) for tag, expression in resolvers
                                          if tag not in ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:int")]
                                  for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()}
Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^(0x[0-9a-fA-F]+|[0-9]+)$"), list("0123456789"))


def load(text):
    return yaml.load(text, Loader)


def read(path):
    with open(path, encoding="utf-8") as file:
        return load(file.read())


def errors(fleet, schema=SCHEMA):
    return [f"{'.'.join(map(str, error.absolute_path))}: {error.message[:200]}"
            for error in jsonschema.Draft7Validator(schema).iter_errors(fleet)]


def resolve(schema):
    while "$ref" in schema:
        schema = SCHEMA["definitions"][schema["$ref"].rsplit("/", 1)[1]]
    return schema


def mappings(schema, where=""):
    """Each mapping with keys of its own, and the way to it; a name or an item is a *."""
    schema = resolve(schema)
    if "properties" in schema:
        yield where, schema["properties"]
    for key, value in schema.get("properties", {}).items():
        yield from mappings(value, f"{where}.{key}".lstrip("."))
    if isinstance(schema.get("additionalProperties"), dict):
        yield from mappings(schema["additionalProperties"], f"{where}.*")
    if "items" in schema:
        yield from mappings(schema["items"], f"{where}.*")
    for part in schema.get("allOf", []):
        yield from mappings(part, where)
    for part in schema.get("anyOf", []):
        if resolve(part).get("type") == "array":
            yield from mappings(part, where)
        elif "properties" in resolve(part) and not where.endswith("*"):
            pass  # one for a list: its items are met above
        else:
            yield from mappings(part, where)


def without_required(schema):
    if isinstance(schema, dict):
        return {key: without_required(value) for key, value in schema.items() if key != "required"}
    return [without_required(item) for item in schema] if isinstance(schema, list) else schema


def places(fleet):
    """Mappings that are not lists of names, so that an unknown key in them is a mistake."""
    def walk(node, depth, section):
        if isinstance(node, dict):
            named = depth == 1 and section != "defaults" or depth and section in ("interfaces", "overrides")
            if not named:
                yield node
            for key, value in node.items():
                if not str(key).startswith("x-"):
                    yield from walk(value, depth + 1, key if depth == 0 or key in ("interfaces", "overrides") else
                                    section if named else "")
        elif isinstance(node, list):
            for item in node:
                yield from walk(item, depth + 1, section)
    return list(walk(fleet, 0, ""))


def right_files():
    names = sorted(name for name in os.listdir(RIGHT) if name.endswith(".yaml"))
    assert len(names) >= 20, names
    return [os.path.join(RIGHT, name) for name in names]


def check_right():
    examples = [os.path.join(EXAMPLES, "two-gateways.yaml")]
    for path in right_files() + examples:
        found = errors(read(path))
        assert not found, f"{path}: {found}"


def check_unknown_keys():
    tried = 0
    validator = jsonschema.Draft7Validator(SCHEMA)
    for path in right_files():
        right = read(path)
        for i in range(len(places(right))):
            fleet = copy.deepcopy(right)
            places(fleet)[i]["no_such_key"] = 1
            assert not validator.is_valid(fleet), f"{path}: an unknown key passes in {places(fleet)[i]}"
            tried += 1
    assert tried > 200, tried


def examples_of_docs():
    text = open(os.path.join(ROOT, "docs", "fleet.md"), encoding="utf-8").read()
    return [block for block in re.findall(r"```yaml\n(.*?)```", text, re.S) if "..." not in block.replace("\"...\"", "")]


def kind_of(where):
    """What mapping it is: the last word of the way; both translations are one, and what overrides say is shown once."""
    words = [word for word in where.split(".") if word != "*"] or [""]
    return {"masquerade": "snat", "overrides": "tunnels"}.get(words[-1], words[-1])


def keys_of(schema, node, where, shown):
    """Which keys of which mapping an example shows."""
    schema = resolve(schema)
    if isinstance(node, dict):
        for key, value in node.items():
            if key in schema.get("properties", {}):
                shown.add((kind_of(where), key))
                keys_of(schema["properties"][key], value, f"{where}.{key}".lstrip("."), shown)
            elif isinstance(schema.get("additionalProperties"), dict):
                keys_of(schema["additionalProperties"], value, f"{where}.*", shown)
    for part in schema.get("allOf", []) + schema.get("anyOf", []):
        if isinstance(node, list) or resolve(part).get("type") != "array":
            keys_of(part, node, where, shown)
    if isinstance(node, list) and "items" in schema:
        for item in node:
            keys_of(schema["items"], item, where, shown)


def check_docs():
    shown = set()
    relaxed = without_required(SCHEMA)
    for block in examples_of_docs():
        fleet = load(block)
        found = errors(fleet, relaxed)
        assert not found, f"docs/fleet.md: {found}\n{block}"
        keys_of(SCHEMA, fleet, "", shown)
    missing = {f"{where}.{key}" for where, properties in mappings(SCHEMA) for key in properties
               if (kind_of(where), key) not in shown}
    assert not missing, f"docs/fleet.md has no example of {sorted(missing)}"


def check_hints():
    for name in ("two-gateways.yaml",):
        text = open(os.path.join(EXAMPLES, name), encoding="utf-8").read()
        assert "# yaml-language-server: $schema=" in text, f"{name} does not tell editors of the schema"


def main():
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    for check in (check_right, check_unknown_keys, check_docs, check_hints):
        check()
        print(f"ok {check.__name__}")


main()
