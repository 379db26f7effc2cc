"""Files that figures are written to: tried before the work, and told plainly where they cannot be written."""

from __future__ import annotations

import os
from pathlib import Path

from extractor.errors import OutputError, StorageError


def check_writable(path: Path | None) -> None:
    """Raises OutputError where a file could not be written."""
    try:
        obstacle = _obstacle(path) if path is not None else None
    except OSError as exc:
        obstacle = exc.strerror
    if obstacle:
        raise OutputError(f"Cannot write {path}: {obstacle}.", hint="Give the name of a file in a folder of yours.")


def _obstacle(path: Path) -> str | None:
    if path.is_dir():
        return "it is a folder"
    if not path.parent.is_dir():
        return f"there is no folder {path.parent}"
    return None if os.access(path if path.exists() else path.parent, os.W_OK) else "no right to"


def write_text(path: Path, text: str) -> None:
    """Write a file. Raises StorageError where that fails."""
    try:
        path.write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as exc:
        raise StorageError(
            f"Cannot write {path}: {exc.strerror}.", hint="Make room, or choose another place."
        ) from None
