"""Write again what the pages show under their commands: ``python docs/outputs.py FOLDER [PAGE...]``.

FOLDER is one that ``docs/example.py`` wrote. A page has the mark ``<!-- output of: COMMAND -->`` before a block of what
COMMAND prints; ``<!-- output of: COMMAND (first 12 lines) -->`` keeps its beginning. The commands run in FOLDER in the
order of the page, so that the later ones find what the earlier ones wrote. A block with a title
(``title="model.toml"``) is written to the file of that name in its turn, as the page tells its reader to do.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

DOCS = Path(__file__).parent
PAGES = ("quickstart", "training")
MARK = re.compile(
    r"<!-- output of: (?P<command>.*?)(?: \(first (?P<lines>\d+) lines\))? -->\n+(?P<indent> *)```text\n.*?\n *```",
    re.DOTALL,
)
FILE = re.compile(r"^```\w+ title=\"(?P<name>[^\"]+)\"\n(?P<text>.*?)```", re.DOTALL | re.MULTILINE)
EITHER = re.compile(f"{MARK.pattern}|{FILE.pattern}", re.DOTALL | re.MULTILINE)
# A usual terminal, and as wide as a block of the site.
COLUMNS = "80"


def printed(command: str, folder: Path) -> str:
    """Run a command in the folder and return what it prints, without the spaces at the ends of lines."""
    program = [sys.executable, "-m", "cuesense"] if command.startswith("cuesense ") else [sys.executable]
    done = subprocess.run(
        [*program, *shlex.split(command)[1:]],
        cwd=folder,
        env={**os.environ, "COLUMNS": COLUMNS, "PYTHONPATH": str(DOCS.parent)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{command} ended with exit code {done.returncode}:\n{done.stdout}")
    return "\n".join(line.rstrip() for line in done.stdout.strip("\n").splitlines())


def renewed(page: str, folder: Path) -> str:
    """Return a page with what its commands print today."""

    def block(match: re.Match[str]) -> str:
        if match["name"] is not None:
            (folder / match["name"]).write_text(match["text"], encoding="utf-8")
            return match[0]
        lines = printed(match["command"], folder).splitlines()
        kept = int(match["lines"] or len(lines))
        lines = [*lines[:kept], *(["..."] if kept < len(lines) else [])]
        head = match[0][: match[0].index("```text")]
        return (
            head
            + "```text\n"
            + "".join(f"{match['indent']}{line}".rstrip() + "\n" for line in lines)
            + match["indent"]
            + "```"
        )

    return EITHER.sub(block, page)


def main() -> None:
    """Renew the pages that are named, or all."""
    folder = Path(sys.argv[1])
    for name in sys.argv[2:] or PAGES:
        path = DOCS / f"{name}.md"
        path.write_text(renewed(path.read_text(encoding="utf-8"), folder), encoding="utf-8")
        print(path.name)


if __name__ == "__main__":
    main()
