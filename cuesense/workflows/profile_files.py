"""The files that an output folder holds."""

from __future__ import annotations

from pathlib import Path

from cuesense.atomic_files import refuse_folder, refuse_same, remove_file, write_file
from cuesense.errors import SettingsError
from cuesense.predictions.predictions import Predictions
from cuesense.predictions.write_table import FILE_NAME, write
from cuesense.reports.formats import file_name, format_of, render_document
from cuesense.reports.html.profile import render
from cuesense.reports.pictures import FILE as PICTURES
from cuesense.reports.pictures import Pictures, read_pictures, write_pictures
from cuesense.schemas.base import Document
from cuesense.schemas.documents import document_of, file_of
from cuesense.schemas.profile import Profile
from cuesense.tables.write_csv import csv_text
from cuesense.validation import path_of

PREDICTIONS = FILE_NAME
_PAGE = "html"
# The profile first, in the order in which a restart deletes them: one that is there is never of other files.
PIPELINE = "pipeline.csv"
FILES = (Profile.FILE_NAME, "report.html", "classes.csv", "curves.csv", PIPELINE, PICTURES, PREDICTIONS)


def write_outputs(
    profile: Profile, folder: Path, pictures: Pictures | None = None, predictions: Predictions | None = None
) -> None:
    """Write report.html, the CSV files and predictions.parquet, those that are given, and last profile.json.

    A profile.json of another model, dataset or configuration is removed first: one that is there is never of other
    predictions than those beside it, also after a run that was killed between two files.

    Args:
        profile: What to write.
        folder: Where to; created where missing.
        pictures: The example images of the report; None takes those that the folder holds, where they are of the same
            predictions.
        predictions: The predictions that the profile comes from.

    Raises:
        OutputError: The folder cannot be written.
    """
    shown = read_pictures(folder, profile) if pictures is None else pictures
    contents = {
        "report.html": render(profile, shown, folder),
        "classes.csv": csv_text(profile.model_copy(update={"classes": profile.classes_by_lean}).to_frame()),
        "curves.csv": csv_text(profile.curves_frame()),
    }
    if profile.pipeline is not None:
        names = [entry.name for entry in profile.classes]
        contents[PIPELINE] = csv_text(profile.pipeline.to_frame(names))
    for name in (*contents, PICTURES, PREDICTIONS, Profile.FILE_NAME):
        refuse_folder(folder / name)
    if earlier_profile(profile, folder) is None:
        remove_file(folder / Profile.FILE_NAME)
    for name, content in contents.items():
        write_file(folder / name, content)
    if pictures is not None:
        write_pictures(pictures, profile, folder)
    if predictions is not None:
        write(predictions, folder / PREDICTIONS)
    write_file(folder / Profile.FILE_NAME, profile.to_json())
    profile.lies_in(folder)


def earlier_profile(profile: Profile, folder: Path) -> Profile | None:
    """Return the profile that a folder holds, where it is of the same predictions: of one model, images and settings.

    Without a digest of the weights nobody knows whether the model is the same.
    """
    try:
        earlier = Profile.read(folder)
    except SettingsError:
        return None
    same = _measured(earlier) == _measured(profile) and profile.provenance.model.sha256 is not None
    return earlier if same else None


def _measured(profile: Profile) -> tuple[object, ...]:
    known = profile.provenance
    # The counts are others where the outputs stand for other classes.
    return known.model.sha256, known.model.preprocessing, known.dataset, known.config, known.seed, profile.curves


def report(profile: Document | Path | str, output: str | Path | None = None, *, format: str | None = None) -> Path:
    """Write a profile, or another result, as a page, markdown, JSON or a model card.

    The page of a profile has the example images that lie beside its file, also that of a profile which was read or
    written before.

    Args:
        profile: The profile, its file or its folder; also an audit, a verification, a comparison or the result of a
            check. Of a folder that holds no profile.json, its verify.json, compare.json, audit.json or check.json.
        output: The file to write; None writes report.html, report.md, report.json or model-card.md beside the profile's
            file, and for other results a file of their name, such as verify.html. An object has no file: into the
            current folder.
        format: ``"html"``, ``"markdown"`` (for a pull request), ``"json"`` or ``"model-card"`` (for the Hugging Face
            hub). Audits, verifications and comparisons have html and json; checks markdown, github and json. None
            takes the one that the file's ending stands for (``.html``, ``.md``, ``.json``), without a file html.

    Returns:
        The written file.

    Raises:
        SettingsError: There is no such result, it has no such format, the file's ending stands for none, or an
            argument is no path.
        OutputError: The file cannot be written, or is the result's own.
    """
    known = document_of(profile)
    path = path_of(_usual_file(profile, known, format or _PAGE) if output is None else output, "--output")
    refuse_folder(path)
    format = format or (_PAGE if output is None else format_of(path))
    if not isinstance(profile, Document):
        refuse_same(path, file_of(profile))
    write_file(path, report_text(profile, format))
    return path


def _usual_file(source: Document | Path | str, known: Document, format: str) -> Path:
    name = Path(file_name(known, format))
    return name if isinstance(source, Document) else file_of(source).parent / name


def report_text(profile: Document | Path | str, format: str) -> str:
    """Return what ``report`` writes.

    Args:
        profile: As of ``report``.
        format: Likewise.

    Raises:
        SettingsError: There is no such result, or it has no such format.
    """
    known = document_of(profile)
    if isinstance(known, Profile) and format == _PAGE and known.folder is not None:
        return render(known, read_pictures(known.folder, known), known.folder)
    return render_document(known, format)
