"""Print the measures of the package's structure: size of the top level, contracts, arrows, parameters, comments.

    PYTHONPATH=. python benchmarks/house.py

``tests/test_architecture.py`` holds the limits; this shows how far away they are.
"""

from __future__ import annotations

import tomllib

from tests.helpers.package_source import (
    ROOT,
    between_rooms,
    comments_per_thousand_lines,
    modules,
    wide_functions,
)


def contract_names() -> int:
    """Return how many layers and modules the import contracts list; two layers on one line count as two."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    listed = [name for contract in contracts for key in ("layers", "source_modules") for name in contract.get(key, [])]
    return sum(len(name.split("|")) for name in listed)


def lines(folder: str) -> int:
    """Return the lines of a folder's Python files."""
    return sum(source.lines for source in modules(folder).values())


def main() -> None:
    """Print one measure a line."""
    package = modules()
    wide = wide_functions(package, 7)
    measures = {
        "files at the top level of cuesense/": sum(path.is_file() for path in (ROOT / "cuesense").iterdir()),
        "layers and modules listed in the contracts": contract_names(),
        "arrows between rooms": sum(len(targets) for targets in between_rooms(package).values()),
        "internal functions with more than 7 parameters": len(wide),
        "comments in 1,000 lines": round(comments_per_thousand_lines(package), 1),
        "test lines / code lines": round(lines("tests") / lines("cuesense"), 2),
        "longest file": max(source.lines for source in package.values()),
    }
    for name, value in measures.items():
        print(f"{value:>8}  {name}")
    print("\n".join(f"          {name}" for name in wide))


if __name__ == "__main__":
    main()
