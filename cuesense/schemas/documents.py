"""Any of the results that a user may hold or name by a file or folder, and which of them it is."""

from __future__ import annotations

from pathlib import Path

from cuesense.errors import SettingsError, expected
from cuesense.schemas.audit import Audit
from cuesense.schemas.base import Document
from cuesense.schemas.comparison import Comparison
from cuesense.schemas.gate import GateResult
from cuesense.schemas.profile import Profile
from cuesense.schemas.verification import Verification

# In the order in which a folder is looked through: most folders that hold several are of a profile.
KINDS: tuple[type[Document], ...] = (Profile, Verification, Comparison, Audit, GateResult)


def document_of(source: Document | Path | str) -> Document:
    """Return a result, read from its file or folder where it is named by it.

    Args:
        source: The result; or its file, of which the name says what it is (``verify.json`` is a verification, and a
            file of another name a profile); or a folder, in which the usual names are looked for.

    Raises:
        SettingsError: It is neither, or the file cannot be read as what its name says.
    """
    if isinstance(source, Document):
        return source
    return _kind(source).read(source)


def file_of(source: Path | str) -> Path:
    """Return the file of a result that is named by itself or by its folder."""
    return _kind(source).file(source)


def _kind(source: Path | str) -> type[Document]:
    if not isinstance(source, str | Path):
        got = type(source).__name__
        raise SettingsError(expected("profile", "a Profile, a profile.json or its folder", got, "Pass one of these"))
    path = Path(source)
    named = next((kind for kind in KINDS if path.name == kind.FILE_NAME), Profile)
    try:
        return next((kind for kind in KINDS if (path / kind.FILE_NAME).is_file()), named)
    except (OSError, ValueError):
        # A path that no file can have; reading it says so.
        return named
