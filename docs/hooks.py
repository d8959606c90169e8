"""What the documentation site is made of beside the pages in this folder, filled in when it is built.

- The page of the command line comes from the commands themselves, that of the JSON files from ``assets/*.schema.json``,
  and that of Python from the public names: a page that is made when the site is built cannot be out of date.
- Pictures in ``assets/`` and ``examples/README.md`` are shown where they lie.
"""

from __future__ import annotations

import inspect
import json
import re
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
}


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
    rows = [f"| `{cell(names, code=True)}` | {cell(meaning)} |" for names, meaning in filter(None, records)]
    table = "\n".join(["| Option | Meaning |", "|---|---|", *rows])
    return f"## cuesense {context.info_name.rpartition(' ')[2]}\n\n```text\n{usage}\n```\n\n{text}\n\n{table}"


def prose(text: str) -> str:
    r"""Return help text as Markdown: a paragraph after ``\b`` keeps its lines, as a terminal shows it."""
    parts = []
    for paragraph in re.split(r"\n\s*\n", text):
        if not paragraph.startswith("\b"):
            parts.append(re.sub(r"([*_<\[])", r"\\\1", paragraph))
            continue
        title, _, lines = paragraph.removeprefix("\b\n").partition("\n")
        parts.append(f"{title}\n\n```text\n{inspect.cleandoc(lines)}\n```")
    return "\n\n".join(parts)


def cell(text: str, *, code: bool = False) -> str:
    """Return text for a cell of a table."""
    text = " ".join(text.split()).replace("|", "\\|")
    return text if code else re.sub(r"([*_<\[])", r"\\\1", text)


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
    """Return a directive of mkdocstrings for every public name: functions first, then classes."""
    names = [name for name in cuesense.__all__ if name not in ("CueLabel", "__version__")]
    functions = [name for name in names if name[0].islower()]
    classes = [name for name in names if name[0].isupper()]
    parts = ["## Functions", *(f"::: cuesense.{name}" for name in functions)]
    parts += ["## Classes", *(f"::: cuesense.{name}" for name in classes)]
    return "\n\n".join(parts)
