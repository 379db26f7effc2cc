"""Folders for what is written: made where they are missing, and told plainly where they cannot be."""

from __future__ import annotations

from pathlib import Path

from extractor.errors import OutputError


def make_folder(folder: Path) -> None:
    """Make the folder and those above it. Raises OutputError where something stands in its way."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise OutputError(f"Cannot make the folder {folder}: {exc.strerror}.", hint="Choose another --out.") from None
