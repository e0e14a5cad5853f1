# SPDX-License-Identifier: GPL-2.0-or-later
"""What a page for people tells them to do: the commands of its ```console blocks with the answers below them, and the files of its
```yaml blocks that begin with `# HOST:/PATH`."""
import re

COMMAND = re.compile(r"([a-z][a-z0-9-]*)# (.*)")
PLACE = re.compile(r"# ([a-z][a-z0-9-]*):(/\S+)\n")


class Command:
    def __init__(self, line, host, text):
        self.line, self.host, self.text, self.answer = line, host, text, ""


class File:
    def __init__(self, line, host, path, text):
        self.line, self.host, self.path, self.text = line, host, path, text


def blocks(text):
    """Kind, number of the first line, text of each."""
    for block in re.finditer(r"(?ms)^```(\w+)\n(.*?)^```$", text):
        yield block[1], text.count("\n", 0, block.start(2)) + 1, block[2]


def read_console(number, block):
    steps = []
    for number, line in enumerate(block.splitlines(), number):
        command = COMMAND.fullmatch(line)
        if command:
            steps.append(Command(number, *command.groups()))
        else:
            steps[-1].answer += line + "\n"
    return steps


def read(path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    steps = []
    for kind, number, block in blocks(text):
        place = PLACE.match(block)
        if kind == "console":
            steps += read_console(number, block)
        elif place:
            steps.append(File(number, *place.groups(), block[place.end():]))
    return steps


# What is another one each time, and what stands for it when answers are compared. The first kinds are learnt: where the page goes
# on to use what an answer showed, the replay uses what it got.
LEARNT = [r"hf1_[\w-]+", r"[A-Za-z0-9+/]{43}="]
VARIES = [(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "TIME"), (r"[+-]?\d+(\.\d+)? (ms|s|min|h)( \d+ (s|min))?\b|\b\d+ms\b", "DURATION"),
          (r"\b\d+(\.\d+)? (B|KiB)\b", "SIZE"), (r":\d{4,5}\b", ":PORT"), (r"\b\d+(\.\d+)?(/\d+(\.\d+)?){2,}", "TIMES"),
          (r"\b\d+ pings", "N pings"), (r"\b\d{8}\.\d+\b", "EPOCH")]


def comparable(text):
    for expression in LEARNT:
        text = re.sub(expression, "LEARNT", text)
    for expression, name in VARIES:
        text = re.sub(expression, name, text)
    return [re.sub(r"[ \t]+", " ", line).strip() for line in text.strip().splitlines()]


def learn(page, got, learnt):
    """What the page shows -> what was shown."""
    for expression in LEARNT:
        learnt.update(zip(re.findall(expression, page), re.findall(expression, got)))


def with_learnt(text, learnt):
    for shown, real in learnt.items():
        text = text.replace(shown, real)
    return text


def rewrite(path, answers, learnt):
    """The page with these answers, by line of command, and with what they showed wherever it is used."""
    with open(path, encoding="utf-8") as file:
        lines = file.read().splitlines(True)
    out, skipping = [], False
    for number, line in enumerate(lines, 1):
        if number in answers:
            out += [with_learnt(line, learnt), answers[number]]
            skipping = True
        elif line.startswith("```") or not skipping:
            out.append(with_learnt(line, learnt))
            skipping = False
    with open(path, "w", encoding="utf-8") as file:
        file.write("".join(out))
