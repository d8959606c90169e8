"""What the documentation site is made of beside the pages in this folder, filled in when it is built.

- The page of the command line comes from the commands themselves, that of the JSON files from ``assets/*.schema.json``,
  and that of Python from the public names: a page that is made when the site is built cannot be out of date.
- Pictures in ``assets/`` and ``examples/README.md`` are shown where they lie.
"""

from __future__ import annotations

import inspect
import json
import pkgutil
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import typer
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

import cuesense
from cuesense.cli.app import app

ROOT = Path(__file__).parents[1]
SOURCE = "https://github.com/cuesense/cuesense/blob/main/"

# What each file is written by, in the order in which a user meets them.
DOCUMENTS = {
    "profile": "`profile.json`, which `analyze` and `score` write",
    "verification": "`verify.json`, which `verify` writes",
    "audit": "`audit.json`, which `audit` and `transfer` write",
    "comparison": "`compare.json`, which `compare` writes",
    "gate": "what `check --json` prints",
    "readings": "what `analyze --probe --json` prints",
    "cost": "what `analyze --dry-run --json` prints",
}


# What the functions return. All but the last are also files, whose fields have a page.
RESULTS = {
    "Profile": "cuesense.Profile",
    "Audit": "cuesense.schemas.audit.Audit",
    "Comparison": "cuesense.schemas.comparison.Comparison",
    "CostEstimate": "cuesense.schemas.cost.CostEstimate",
    "GateResult": "cuesense.schemas.gate.GateResult",
    "Verification": "cuesense.schemas.verification.Verification",
    "Advice": "cuesense.policies.advice.Advice",
}
READ_AND_WRITTEN = ("read", "to_json", "folder")
# What ``plot`` of a profile and of an audit is.
CHARTS = ("cuesense.reports.plots.profile.ProfilePlots", "cuesense.reports.plots.audit.AuditPlots")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pictures of ``assets/`` that pages show, and the examples' README as a page."""
    for path in sorted((ROOT / "assets").glob("*.[sp][vn]g")):
        files.append(File.generated(config, f"assets/pictures/{path.name}", abs_src_path=str(path)))
    files.append(File.generated(config, "examples.md", abs_src_path=str(ROOT / "examples" / "README.md")))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001
    """Fill in the generated pages, and lead links that leave this folder to where the site has what they name."""
    markers = {"command-line": command_line, "json-files": json_files, "python-names": python_names}
    for name, make in markers.items():
        marker = f"<!-- {name} -->"
        if marker in markdown:
            markdown = markdown.replace(marker, make())
    if page.file.src_uri == "examples.md":
        markdown = re.sub(r"\]\(([\w.]+\.ipynb)\)", rf"]({SOURCE}examples/\1)", markdown)
    return lead_links(markdown)


def lead_links(markdown: str) -> str:
    """Return a page whose links to files of the repository lead to their place on the site, or to their source."""
    markdown = re.sub(r"\]\(\.\./assets/([\w-]+\.(?:svg|png))\)", r"](assets/pictures/\1)", markdown)
    markdown = markdown.replace("](../examples/README.md", "](examples.md")
    return re.sub(r"\]\(\.\./(?=[a-zA-Z])([^)]+)\)", rf"]({SOURCE}\1)", markdown)


def command_line() -> str:
    """Return the commands with their arguments, options and examples, as ``--help`` has them."""
    group = typer.main.get_command(app)
    context = click.Context(group, info_name="cuesense")
    parts = []
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        parts.append(one_command(command, click.Context(command, info_name=f"cuesense {name}")))
    return "\n\n".join(parts)


def one_command(command: click.Command, context: click.Context) -> str:
    """Return the section of one command."""
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    text = prose(inspect.cleandoc(command.help or ""))
    records = [parameter.get_help_record(context) for parameter in command.get_params(context)]
    rows = [f"| {cell(f'`{names}`')} | {cell(meaning)} |" for names, meaning in filter(None, records)]
    table = "\n".join(["| Option | Meaning |", "|---|---|", *rows])
    return f"## cuesense {context.info_name.rpartition(' ')[2]}\n\n```text\n{usage}\n```\n\n{text}\n\n{table}"


def prose(text: str) -> str:
    r"""Return help text as Markdown: a paragraph after ``\b`` keeps its lines, as a terminal shows it."""
    parts = []
    for paragraph in re.split(r"\n\s*\n", text):
        if not paragraph.startswith("\b"):
            parts.append(escaped(paragraph, "*_<["))
            continue
        title, _, lines = paragraph.removeprefix("\b\n").partition("\n")
        parts.append(f"{title}\n\n```text\n{inspect.cleandoc(lines)}\n```")
    return "\n\n".join(parts)


def cell(text: str) -> str:
    """Return text for a cell of a table."""
    return escaped(" ".join(text.split()), "|*_<[")


def escaped(text: str, characters: str) -> str:
    """Return Markdown in which these characters stand for themselves, as they do in code already."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(
        part if part.startswith("`") else re.sub(f"([{re.escape(characters)}])", r"\\\1", part) for part in parts
    )


def json_files() -> str:
    """Return the fields of every JSON file, from its schema."""
    return "\n\n".join(one_document(name, written) for name, written in DOCUMENTS.items())


def one_document(name: str, written: str) -> str:
    """Return the section of one JSON file."""
    schema = json.loads((ROOT / "assets" / f"{name}.schema.json").read_text(encoding="utf-8"))
    link = f"[assets/{name}.schema.json]({SOURCE}assets/{name}.schema.json)"
    parts = [f"## {schema.get('title', name)}\n\nThis is {written}. Its JSON Schema: {link}.", fields(schema)]
    for part, definition in schema.get("$defs", {}).items():
        about = sentences(definition.get("description", ""))
        parts.append(f"### {part} {{#{name}-{part.lower()}}}\n\n{about}\n\n{fields(definition)}")
    return "\n\n".join(parts)


def fields(definition: dict[str, Any]) -> str:
    """Return a table of an object's fields, or the values that a choice allows."""
    if "enum" in definition:
        return "One of " + ", ".join(f"`{json.dumps(value)}`" for value in definition["enum"]) + "."
    required = definition.get("required", [])
    rows = []
    for field, entry in definition.get("properties", {}).items():
        needed = "" if field in required else "may be missing"
        note = "; ".join(filter(None, (sentences(entry.get("description", "")), needed)))
        rows.append(f"| `{field}` | {kind(entry)} | {note} |")
    return "\n".join(["| Field | Type | Meaning |", "|---|---|---|", *rows]) if rows else ""


def sentences(text: str) -> str:
    """Return a description as one line of Markdown."""
    return cell(text.replace("``", "`"))


def kind(entry: dict[str, Any]) -> str:
    """Return the type of a field in words."""
    if "$ref" in entry:
        return entry["$ref"].rpartition("/")[2]
    for several in ("anyOf", "oneOf", "allOf"):
        if several in entry:
            return " or ".join(kind(option) for option in entry[several])
    if "const" in entry:
        return f"`{json.dumps(entry['const'])}`"
    if "enum" in entry:
        return " or ".join(f"`{json.dumps(value)}`" for value in entry["enum"])
    name = entry.get("type", "any")
    if name == "array":
        return f"list of {kind(entry.get('items') or {})}"
    if name == "object" and isinstance(entry.get("additionalProperties"), dict):
        return f"object of {kind(entry['additionalProperties'])}"
    return str(name)


def python_names() -> str:
    """Return directives of mkdocstrings: functions, the results that they return, charts, and other classes."""
    names = [name for name in cuesense.__all__ if name not in ("CueLabel", "__version__", *RESULTS)]
    functions = [directive(f"cuesense.{name}") for name in names if name[0].islower()]
    classes = [directive(f"cuesense.{name}") for name in names if name[0].isupper()]
    files = [f"[{name}](json.md#{name.lower()})" for name in RESULTS if name != "Advice"]
    fields = f"Below are the methods. The fields are those of the JSON files: {', '.join(files)}."
    results = [fields, *(directive(path, READ_AND_WRITTEN) for path in RESULTS.values())]
    charts = [directive(path) for path in CHARTS]
    parts = ["## Functions", *functions, "## Results", *results, "## Charts", *charts, "## Other classes", *classes]
    return "\n\n".join(parts)


def directive(path: str, inherited: Sequence[str] = ()) -> str:
    """Return the directive for one object, with those members of its base classes that users call."""
    found = [name for name in inherited if hasattr(pkgutil.resolve_name(path), name)]
    options = f"\n    options:\n      inherited_members: {json.dumps(found)}" if found else ""
    return f"::: {path}{options}"
