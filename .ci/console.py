"""Run a document's commands in an empty folder, as a reader would.

    python .ci/console.py docs/write-a-backend.md

Of the fenced blocks, ``console`` holds commands after ``$`` and what they print: each
line has to appear in the output, in that order; ``...`` stands for anything. In a
block ``console fails`` the commands have to fail. A block ``py PATH`` is a file.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BLOCK = re.compile(r"^```(console|py)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LIMIT_SECONDS = 600


def steps(block: str) -> list[tuple[str, list[str]]]:
    """Return each command and the lines it should print."""
    found: list[tuple[str, list[str]]] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif line.strip():
            found[-1][1].append(line)
    return found


def missing_line(expected: list[str], output: str) -> str | None:
    """Return the first expected line that the output lacks."""
    at = 0
    for line in expected:
        pattern = ".*".join(re.escape(part) for part in line.strip().split("..."))
        match = re.compile(pattern).search(output, at)
        if match is None:
            return line
        at = match.end()
    return None


def run(command: str, folder: Path, environment: Path) -> tuple[int, str]:
    """Run a command in the shell that the earlier ones left behind."""
    script = f"{command}\ncode=$?\nexport -p > {environment}\nexit $code\n"
    if environment.exists():
        script = f". {environment}\n{script}"
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    return done.returncode, done.stdout


def main(document: str) -> int:
    """Run the document and return the number of what went wrong."""
    wrong = 0
    with tempfile.TemporaryDirectory() as scratch:
        folder, environment = Path(scratch) / "empty", Path(scratch) / "environment"
        folder.mkdir()
        os.environ["COLUMNS"] = "120"
        for kind, info, block in BLOCK.findall(Path(document).read_text("utf-8")):
            if kind == "py":
                (folder / info.strip()).write_text(block, encoding="utf-8")
                continue
            for command, expected in steps(block):
                start = time.monotonic()
                code, output = run(command, folder, environment)
                print(f"$ {command}   # {time.monotonic() - start:.0f} s", flush=True)
                lacking = missing_line(expected, output)
                if (code != 0) != ("fails" in info) or lacking is not None:
                    wrong += 1
                    print(f"{output}\nexit code {code}; not printed: {lacking!r}")
    return wrong


if __name__ == "__main__":
    sys.exit(min(main(sys.argv[1]), 1))
