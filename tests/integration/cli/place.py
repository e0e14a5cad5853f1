# SPDX-License-Identifier: GPL-2.0-or-later
"""A directory with a fleet file that includes peers.d, and the commands of one who works in it."""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

BIN = pathlib.Path(os.environ.get("HOLDFAST_BIN", "build/dev/bin")).resolve()
EXAMPLE = pathlib.Path(__file__).resolve().parents[3] / "deploy/examples/two-gateways.yaml"


class Place:
    """What stands in a file that others may not read stands nowhere else."""

    def __enter__(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="holdfast-cli-"))
        text = EXAMPLE.read_text().replace("fleet: edge", "include: [ peers.d/*.yaml ]\nfleet: edge", 1)
        (self.directory / "fleet.yaml").write_text(text)
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.directory)

    def holdfast(self, *words, stdin=None):
        return subprocess.run([BIN / "holdfast", *words], capture_output=True, text=True, cwd=self.directory, input=stdin, umask=0o022)

    def said(self, *words, status=0, stdin=None):
        """The object that a command prints with --json, and what it says on standard error; no secret is in either."""
        done = self.holdfast(*words, stdin=stdin)
        assert done.returncode == status, done
        for secret in self.secrets():
            assert secret not in done.stdout + done.stderr, words
        return json.loads(done.stdout), done.stderr

    def files(self):
        """With their modes."""
        return {str(path.relative_to(self.directory)): path.stat().st_mode & 0o777
                for path in self.directory.rglob("*") if path.is_file()}

    def secrets(self):
        """Lines of the files that are for their owner alone, and values in them."""
        for path in self.directory.rglob("*"):
            if path.is_file() and path.stat().st_mode & 0o077 == 0 and path.suffix != ".png":
                for line in path.read_text().splitlines():
                    yield from (part for part in (line, line.split("= ", 1)[-1]) if len(part) == 44 or len(part) == 64)

    def holds(self, path, mode):
        assert (self.directory / path).stat().st_mode & 0o777 == mode, path
