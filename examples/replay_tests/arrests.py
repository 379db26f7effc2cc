"""Counts the people that a report says were arrested."""

from pathlib import Path

from extractor import Document, extract


def count_arrests(path: str | Path) -> int:
    """The sum of all counts of arrested people that the report asserts."""
    file = Path(path)
    extraction = extract(
        Document(id=file.stem, text=file.read_text(encoding="utf-8")), model="desk", prompt="plover@1.0.0"
    )
    return sum(event.arrested or 0 for event in extraction.events if event.modality == "asserted")
