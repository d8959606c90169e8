"""The base of every JSON contract: frozen models, estimates with bounds, and one way to read, write and describe them.

A contract's fields are added to, never renamed or given another meaning. A field that came later has a default, so that
every file of schema_version 1 still reads.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from cuesense.errors import SettingsError, expected
from cuesense.schemas.by_name import ByName
from cuesense.schemas.json_text import NotJsonError, field_name, impossible_number, read_text

SCHEMA_VERSION: Literal[1] = 1
JSON_SCHEMA_DIALECT = "https://json-schema.org/draft/2020-12/schema"

# Kept as pydantic keeps a cached property: neither compared nor written. A private attribute would be compared.
_FOLDER = "_folder"
_SHOWN_CHARACTERS = 60  # enough to recognize a wrong value in a file, and still one line in a terminal


class JsonModel(BaseModel):
    """An object of a JSON document.

    Unknown keys are fields that a newer version has added: they are kept and written again, and mean nothing here. NaN
    and infinity are refused, because JSON has neither: an unknown number is null. Python names may stand beside aliases
    such as ``class`` and ``global``, which are Python's keywords.
    """

    model_config = ConfigDict(frozen=True, extra="allow", allow_inf_nan=False, populate_by_name=True)


class Estimate(JsonModel):
    """A number with its confidence bounds, in the unit of the field that holds it; null where it is not known."""

    value: float | None = Field(description="point estimate")
    low: float | None = Field(description="lower confidence bound")
    high: float | None = Field(description="upper confidence bound")


UNKNOWN = Estimate(value=None, low=None, high=None)


class Document(JsonModel):
    """A whole JSON file.

    Attributes:
        NOUN: What the document is called in a sentence.
        FILE_NAME: Its file's usual name, under which it is looked for in a folder.
        COMMAND: The command that writes it.
    """

    NOUN: ClassVar[str]
    FILE_NAME: ClassVar[str]
    COMMAND: ClassVar[str]

    schema_version: Literal[1] = Field(
        default=SCHEMA_VERSION, description="version of this format; a file without it is of version 1"
    )

    @classmethod
    def file(cls, path: Path | str) -> Path:
        """Return the path of a document that is named by itself or by the folder that holds it.

        Raises:
            SettingsError: It is neither a text nor a path.
        """
        if not isinstance(path, (str, Path)):
            to_be, got = f"a {cls.FILE_NAME} or its folder", f"an object of type {type(path).__name__}"
            raise SettingsError(expected(f"the {cls.NOUN}", to_be, got, "Pass its path"))
        path = Path(path)
        return path / cls.FILE_NAME if path.is_dir() else path

    @classmethod
    def read(cls, path: Path | str) -> Self:
        """Read a document of schema_version 1, also one written before some of its fields were added.

        Args:
            path: The JSON file, or the folder that holds it under its usual name.

        Returns:
            The document; fields that the file lacks have their defaults.

        Raises:
            SettingsError: There is no such file, it cannot be read, is larger than 512 MB or is not JSON in UTF-8, it
                has another schema_version, a field is missing or wrong, or its fields contradict each other, such as
                lists of unequal lengths. One sentence names the field and what stands there.
        """
        try:
            file = cls.file(path)
            if not file.is_file():
                to_be, got = f"a {cls.FILE_NAME} or its folder", f"no file at {file}"
                raise SettingsError(expected(f"the {cls.NOUN}", to_be, got, f"Run `{cls.COMMAND}` first"))
            content = read_text(file)
            found = cls.model_validate_json(content)
        except OSError as error:
            reason = f"'{os.strerror(error.errno)}'" if error.errno else "an error"
            raise SettingsError(expected(str(path), "readable", reason, "Change its permissions")) from None
        except ValidationError as error:
            raise cls._refused(path, _problem(error), newer=_is_newer(error)) from None
        except NotJsonError as error:
            raise cls._refused(path, str(error), do=error.do) from None
        except ValueError:
            # Path's own error, which shows the text again: the character cannot stand in the name of any file.
            to_be = f"a {cls.FILE_NAME} or its folder"
            raise SettingsError(
                expected(f"the {cls.NOUN}", to_be, "a path with a null character", "Correct it")
            ) from None
        except MemoryError:
            raise cls._refused(path, "more than fits into memory") from None
        problem = impossible_number(content) or next(found.problems(), None)
        if problem is not None:
            raise cls._refused(path, problem)
        found.lies_in(file.parent)
        return found

    @property
    def folder(self) -> Path | None:
        """The folder that the document was read from or written to, where its pictures lie; None where it has no file.

        It is no field: it is neither in the JSON nor compared.
        """
        found: Path | None = self.__dict__.get(_FOLDER)
        return found

    def lies_in(self, folder: Path) -> None:
        """Note the folder that the document was read from or written to."""
        self.__dict__[_FOLDER] = folder.absolute()

    def problems(self) -> Iterator[str]:
        """Yield a clause for everything in the document that cannot be, such as lists of unequal lengths."""
        yield from ()

    @classmethod
    def _refused(cls, path: Path | str, got: str, *, newer: bool = False, do: str | None = None) -> SettingsError:
        """Return the error about a file with something else in it than the contract asks for."""
        do = do or f"Run `{cls.COMMAND}` again with this version of cuesense"
        if newer:
            do = f"Update cuesense, or {do[0].lower()}{do[1:]}"
        return SettingsError(expected(str(cls.file(path)), f"a {cls.NOUN} of schema_version {SCHEMA_VERSION}", got, do))

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """Return the JSON Schema that every file of this contract fulfills, old ones included."""
        return {"$schema": JSON_SCHEMA_DIALECT, **cls.model_json_schema(by_alias=True)}

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy with other values in some fields, which are not validated; pydantic's, for lists by name too.

        Args:
            update: The new values, by field.
            deep: Whether the fields are copied as well.
        """
        given = {
            name: ByName(value) if isinstance(getattr(self, name, None), ByName) else value
            for name, value in (update or {}).items()
        }
        return super().model_copy(update=given, deep=deep)

    def __str__(self) -> str:
        """Return the few lines that a notebook shows; ``to_json`` returns everything."""
        return repr(self)

    def to_json(self) -> str:
        """Return the document as indented JSON with a final newline; equal documents give equal bytes."""
        return json.dumps(self.model_dump(mode="json", by_alias=True), indent=1, allow_nan=False) + "\n"


def _is_newer(error: ValidationError) -> bool:
    """Whether a file is of a later schema_version."""
    first = error.errors(include_url=False)[0]
    version = first["input"]
    return first["loc"] == ("schema_version",) and isinstance(version, int) and version > SCHEMA_VERSION


def _problem(error: ValidationError) -> str:
    """Return what stands in a file instead of what its contract asks for: a clause about the first wrong field."""
    # Errors come in the order of the fields, and schema_version is the first one: a file of another version differs in
    # many fields, which its version explains.
    first = error.errors(include_url=False)[0]
    where = field_name(first["loc"])
    if first["type"] == "json_invalid":
        return f"text that is not JSON ({first['ctx']['error']})"
    if first["type"] == "missing":
        return f"no field {where}"
    return f"{_shown(first)} in {where}" if first["loc"] else f"{_shown(first)} as the whole file"


def _shown(error: ErrorDetails) -> str:
    """Return a wrong value, cut to a line, with what is wrong about it."""
    value = error["input"]
    if isinstance(value, dict | list):
        text = "an object" if isinstance(value, dict) else "a list"
    else:
        text = json.dumps(value)[:_SHOWN_CHARACTERS]
    return f"{text} ({error['msg']!r})"
