"""The formats written to files, each by its name."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from extractor.errors import OutputError
from extractor.exports.brat import CONFIGURATION, Kinds, brat
from extractor.exports.folders import make_folder
from extractor.exports.graphs import graphml, jsonld
from extractor.exports.label_studio import label_studio
from extractor.exports.rows import plover_rows
from extractor.exports.tables import write_tables
from extractor.models import Extraction
from extractor.runs.files import replace_file


def write_export(kind: str, extractions: Iterable[Extraction], out: Path) -> list[Path]:
    """Write one of the formats; returns the files. Raises OutputError where they cannot be written."""
    writers = {
        "graphml": _write_graphml,
        "jsonld": _write_jsonld,
        "plover": _write_plover,
        "csv": _write_csv,
        "parquet": _write_parquet,
        "brat": _write_brat,
        "label-studio": _write_label_studio,
    }
    if kind not in writers:
        raise OutputError(f"Unknown format {kind!r}.", hint=f"Known: {', '.join(writers)}.")
    return writers[kind](extractions, out)


def _write_graphml(extractions: Iterable[Extraction], out: Path) -> list[Path]:
    return _write(out, graphml(extractions))


def _write_jsonld(extractions: Iterable[Extraction], out: Path) -> list[Path]:
    return _write(out, json.dumps(jsonld(extractions), ensure_ascii=False, indent=1) + "\n")


def _write_plover(extractions: Iterable[Extraction], out: Path) -> list[Path]:
    lines = (
        json.dumps(row, ensure_ascii=False).replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
        for row in plover_rows(extractions)
    )
    return _write(out, "".join(line + "\n" for line in lines))


def _write_csv(extractions: Iterable[Extraction], out: Path) -> list[Path]:
    return write_tables(extractions, out, "csv")


def _write_parquet(extractions: Iterable[Extraction], out: Path) -> list[Path]:
    return write_tables(extractions, out, "parquet")


def _write_brat(extractions: Iterable[Extraction], out: Path) -> list[Path]:
    from extractor.llm.cassette import file_name

    make_folder(out)
    paths: list[Path] = []
    taken: set[str] = set()
    kinds = Kinds()
    for extraction in extractions:
        document = extraction.document
        text, annotations = brat(extraction, kinds)
        name = file_name(document.id)
        if name in taken:
            name = file_name(f"{document.path or document.id}#{len(taken)}")
        taken.add(name)
        paths += _write(out / f"{name}.txt", text) + _write(out / f"{name}.ann", annotations)
    return paths + _write(out / CONFIGURATION, kinds.configuration())


def _write_label_studio(extractions: Iterable[Extraction], out: Path) -> list[Path]:
    return _write(out, json.dumps(label_studio(extractions), ensure_ascii=False, indent=1) + "\n")


def _write(path: Path, text: str) -> list[Path]:
    if path.is_dir():
        raise OutputError(f"{path} is a folder, and this format is one file.", hint="Give --out the name of a file.")
    make_folder(path.parent)
    replace_file(path, [text.encode("utf-8")])
    return [path]
