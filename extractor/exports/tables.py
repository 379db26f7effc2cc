"""Flat tables in files: events, relations and entities, row by row, so that memory stays flat; replaced whole at the end."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

from extractor.errors import OutputError, StorageError
from extractor.exports.folders import make_folder
from extractor.exports.rows import safe_cell, tables
from extractor.models import Extraction

WHERE = ("document_id", "document_path", "id")
TIME = ("time", "from", "to", "time_flags")
EVIDENCE = ("evidence", "evidence_start", "evidence_end")
COLUMNS = {
    "events": (
        *WHERE, "type", "modes", "contexts", "quad", "score", "actors", "recipients", "participants", "place", *TIME,
        "modality", "source", "dead", "injured", "arrested", "amount", *EVIDENCE,
    ),
    "relations": (*WHERE, "subject", "predicate", "wikidata", "object", *TIME, "modality", "source", *EVIDENCE),
    "entities": (*WHERE, "type", "name", "name_en", "country", "sector", "aliases"),
}  # fmt: skip
INTEGERS = frozenset({"quad", "dead", "injured", "arrested", "evidence_start", "evidence_end"})
AT_ONCE = 5000

Row = dict[str, Any]


class Sink(Protocol):
    """One table's file."""

    def write(self, rows: Sequence[Row]) -> None: ...

    def close(self) -> None: ...


class CsvSink:
    """Safe to open in a spreadsheet: what one would take for a formula gets an apostrophe before it."""

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self._file = path.open("w", encoding="utf-8", newline="")
        self._writer = csv.DictWriter(self._file, columns, lineterminator="\n")
        self._writer.writeheader()

    def write(self, rows: Sequence[Row]) -> None:
        self._writer.writerows({name: safe_cell(value) for name, value in row.items()} for row in rows)

    def close(self) -> None:
        self._file.close()


class ParquetSink:
    """Values as they are, under a schema that does not depend on what was found."""

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        try:
            import pyarrow
            from pyarrow import parquet
        except ImportError:
            raise OutputError("Parquet needs pyarrow.", hint="pip install 'extractor[parquet]'") from None
        self._table = pyarrow.Table
        self._schema = pyarrow.schema([(name, _type(pyarrow, name)) for name in columns])
        self._writer = parquet.ParquetWriter(path, self._schema)

    def write(self, rows: Sequence[Row]) -> None:
        self._writer.write_table(self._table.from_pylist(list(rows), schema=self._schema))

    def close(self) -> None:
        self._writer.close()


def write_tables(extractions: Iterable[Extraction], out: Path, ending: str) -> list[Path]:
    """`events`, `relations` and `entities` as csv or parquet, in `out`; returns the files."""
    make: Callable[[Path, Sequence[str]], Sink] = CsvSink if ending == "csv" else ParquetSink
    paths = {name: out / f"{name}.{ending}" for name in COLUMNS}
    beside = {name: out / f".{path.name}.{os.getpid()}" for name, path in paths.items()}
    make_folder(out)
    try:
        with ExitStack() as stack:
            sinks = {name: make(beside[name], columns) for name, columns in COLUMNS.items()}
            for sink in sinks.values():
                stack.callback(sink.close)
            _fill(sinks, extractions)
        for name, path in paths.items():
            beside[name].replace(path)
    except OSError as exc:
        raise StorageError(
            f"Cannot write the tables in {out}: {exc.strerror}.", hint="Make room, and export again."
        ) from None
    finally:
        for path in beside.values():
            path.unlink(missing_ok=True)
    return list(paths.values())


def _fill(sinks: dict[str, Sink], extractions: Iterable[Extraction]) -> None:
    waiting: dict[str, list[Row]] = {name: [] for name in sinks}
    for extraction in extractions:
        for name, rows in tables([extraction]).items():
            waiting[name] += rows
            if len(waiting[name]) >= AT_ONCE:
                sinks[name].write(waiting[name])
                waiting[name] = []
    for name, rows in waiting.items():
        sinks[name].write(rows)


def _type(pyarrow: Any, name: str) -> Any:
    if name in INTEGERS:
        return pyarrow.int64()
    return pyarrow.float64() if name == "score" else pyarrow.string()
