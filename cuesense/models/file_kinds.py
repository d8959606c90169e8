"""Files that are taken for models, recognized by their first bytes, so that an error says what they are."""

from __future__ import annotations

import re
from collections.abc import Sequence

DOWNLOAD_AGAIN = "Save or download it again"
_SAVE_WEIGHTS = "Save the PyTorch model's state_dict() with torch.save and pass --arch"

# A pattern of the first bytes, what the file is, and what to do.
_STARTS = (
    (rb"version https://git-lfs", "a git-lfs pointer, which stands for the file", "Run `git lfs pull`"),
    (rb"\s*<(!doctype html|html|\?xml)", "a web page", "Download the file itself, not the page about it"),
    (rb"\x89HDF\r\n\x1a\n", "an HDF5 file, as Keras writes them", _SAVE_WEIGHTS),
    (rb"\x08[\x01-\x20]\x12.{1,40}", "an ONNX file", _SAVE_WEIGHTS),
    (rb"GGUF", "a GGUF file, which holds a language model", _SAVE_WEIGHTS),
    (rb"\x1f\x8b", "a gzip file", "Unpack it"),
    (rb"\xfd7zXZ\0|BZh|7z\xbc\xaf|Rar!|\x28\xb5\x2f\xfd", "a packed file", "Unpack it"),
    (rb".{257}ustar", "a tar archive", "Unpack it, and name the model's file in it"),
    (rb"\x89PNG|\xff\xd8\xff|GIF8|BM|RIFF", "an image", "Give the model's file"),
    (rb"\x93NUMPY", "a NumPy array", _SAVE_WEIGHTS),
    (rb"[\x09\x0a\x0d\x20-\x7e]{9}", "a text file", DOWNLOAD_AGAIN),
)
_OTHER = "a file of another kind"


def other_kind(start: bytes) -> tuple[str, str]:
    """Return what a file is that is no model, and what to do with it.

    Args:
        start: Its first 512 bytes.
    """
    for pattern, kind, do in _STARTS:
        if re.match(pattern, start, re.IGNORECASE | re.DOTALL):
            return f"{_OTHER} ({kind})", do
    return _OTHER, DOWNLOAD_AGAIN


def other_kind_of_archive(members: Sequence[str]) -> tuple[str, str]:
    """Return what a zip archive is that holds no model of PyTorch, and what to do with it.

    Args:
        members: The names in it.
    """
    other = "an archive of another kind"
    if "model.weights.h5" in members:
        return f"{other} (a Keras model)", _SAVE_WEIGHTS
    if any(name.endswith((".pt", ".pth", ".ckpt", ".safetensors")) for name in members):
        return f"{other} (with a model's file in it)", "Unpack it, and name that file"
    return other, DOWNLOAD_AGAIN
