"""Files of many kinds become documents: text, Markdown, HTML, JSON, JSON lines, CSV, PDF, DOCX, and gzip of these."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from extractor.errors import DocumentError
from extractor.runs.reading.encodings import decode

MAX_BYTES = 50_000_000
FIELDS = ("text", "id", "published", "title", "language", "url")
FRONT_MATTER = re.compile(r"\A---[ \t]*\r?\n(.*?)\r?\n---[ \t]*\r?\n", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Record:
    """One document of a file: its text, and what the file says of it (strings, by our field names)."""

    text: str
    about: Mapping[str, str]


def read_records(name: str, data: bytes, fields: Mapping[str, str]) -> Iterator[Record]:
    """The documents of a file, by the ending of its name. Raises DocumentError where it cannot be read."""
    ending = name.lower()
    if ending.endswith(".gz"):
        yield from read_records(name[:-3], _unzip(data, name), fields)
        return
    for endings, reader in READERS.items():
        if ending.endswith(endings):
            yield from reader(data, name, fields)
            return
    raise DocumentError(
        f"{name} is of no kind that is read.",
        hint=f"Kinds: {', '.join(e for group in READERS for e in group)}, and .gz of these.",
    )


def holds_many(name: str) -> bool:
    """Whether a file is one of many records."""
    return name.lower().removesuffix(".gz").endswith((".jsonl", ".ndjson", ".json", ".csv", ".tsv"))


def _unzip(data: bytes, name: str) -> bytes:
    """Unpacked, as far as the cap: a bomb ends there."""
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            unpacked = file.read(MAX_BYTES + 1)
    except (OSError, EOFError, zlib.error) as exc:
        raise DocumentError(f"{name} is no whole gzip file: {exc}.") from None
    if len(unpacked) > MAX_BYTES:
        raise DocumentError(f"{name} unpacks to more than {MAX_BYTES:,} bytes.", hint="Cut it.")
    return unpacked


def _text(data: bytes, name: str, fields: Mapping[str, str]) -> Iterator[Record]:
    yield Record(decode(data, name), {})


def _markdown(data: bytes, name: str, fields: Mapping[str, str]) -> Iterator[Record]:
    """Text as it stands; front matter is metadata and no part of it."""
    text = decode(data, name)
    match = FRONT_MATTER.match(text)
    if match is None:
        yield Record(text, {})
        return
    import yaml

    try:
        head = yaml.safe_load(match[1])
    except yaml.YAMLError as exc:
        raise DocumentError(f"{name}: its front matter is not valid YAML.", hint=str(exc).splitlines()[0]) from None
    yield Record(text[match.end() :], _about(head if isinstance(head, dict) else {}, fields))


def _html(data: bytes, name: str, fields: Mapping[str, str]) -> Iterator[Record]:
    """The main text of a page, its title and its day of publication."""
    try:
        import trafilatura
    except ImportError:
        raise DocumentError(f"{name} is HTML, which needs trafilatura.", hint="pip install 'extractor[html]'") from None
    page = decode(data, name)
    found: Any = trafilatura.bare_extraction(page, with_metadata=True, include_comments=False, include_tables=True)
    text = found.text if found is not None else None
    if not text:
        raise DocumentError(f"{name} has no main text.", hint="Save the article itself.")
    about = {"title": found.title, "published": found.date, "language": found.language, "url": found.url}
    yield Record(text, {key: str(value) for key, value in about.items() if value})


def _json(data: bytes, name: str, fields: Mapping[str, str]) -> Iterator[Record]:
    """One object, or a list of them."""
    value = _parse(decode(data, name), name, "")
    for number, item in enumerate(value if isinstance(value, list) else [value], 1):
        yield _record(item, f"{name}, item {number}", fields)


def _json_lines(data: bytes, name: str, fields: Mapping[str, str]) -> Iterator[Record]:
    for number, line in enumerate(decode(data, name).split("\n"), 1):
        if line.strip():
            yield _record(_parse(line, name, f", line {number}"), f"{name}, line {number}", fields)


def _table(data: bytes, name: str, fields: Mapping[str, str]) -> Iterator[Record]:
    delimiter = "\t" if name.lower().endswith(".tsv") else ","
    csv.field_size_limit(MAX_BYTES)
    try:
        for number, row in enumerate(
            csv.DictReader(io.StringIO(decode(data, name), newline=""), delimiter=delimiter), 1
        ):
            yield _record(row, f"{name}, row {number}", fields)
    except csv.Error as exc:
        raise DocumentError(f"{name} is no CSV: {exc}.") from None


def _pdf(data: bytes, name: str, fields: Mapping[str, str]) -> Iterator[Record]:
    try:
        from pypdf import PdfReader
        from pypdf.errors import PyPdfError
    except ImportError:
        raise DocumentError(f"{name} is a PDF, which needs pypdf.", hint="pip install 'extractor[pdf]'") from None
    try:
        reader = PdfReader(io.BytesIO(data))
        text = "\n".join(page.extract_text() for page in reader.pages)
    except (PyPdfError, ValueError, KeyError, TypeError, RecursionError) as exc:
        raise DocumentError(f"{name} is no PDF that can be read: {type(exc).__name__}.") from None
    if not text.strip():
        raise DocumentError(
            f"{name} holds no text: it may be a scan.", hint="Run it through character recognition first."
        )
    yield Record(text, {})


def _docx(data: bytes, name: str, fields: Mapping[str, str]) -> Iterator[Record]:
    try:
        import docx
        from docx.opc.exceptions import OpcError
    except ImportError:
        raise DocumentError(
            f"{name} is a DOCX, which needs python-docx.", hint="pip install 'extractor[docx]'"
        ) from None
    import zipfile

    try:
        document = docx.Document(io.BytesIO(data))
    except (OpcError, zipfile.BadZipFile, KeyError, ValueError) as exc:
        raise DocumentError(f"{name} is no DOCX that can be read: {type(exc).__name__}.") from None
    yield Record("\n".join(paragraph.text for paragraph in document.paragraphs), {})


Reader = Callable[[bytes, str, Mapping[str, str]], Iterator[Record]]
READERS: dict[tuple[str, ...], Reader] = {
    (".txt", ".text"): _text,
    (".md", ".markdown"): _markdown,
    (".html", ".htm", ".xhtml"): _html,
    (".jsonl", ".ndjson"): _json_lines,
    (".json",): _json,
    (".csv", ".tsv"): _table,
    (".pdf",): _pdf,
    (".docx",): _docx,
}


def _parse(text: str, name: str, where: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise DocumentError(f"{name}{where} is not valid JSON: {exc}.") from None


def _record(item: Any, where: str, fields: Mapping[str, str]) -> Record:
    if not isinstance(item, Mapping):
        raise DocumentError(f"{where}: expected an object, got {type(item).__name__}.")
    text = item.get(fields.get("text", "text"))
    if not isinstance(text, str):
        raise DocumentError(f"{where} has no field {fields.get('text', 'text')!r}.", hint="Name it: --field text=NAME.")
    return Record(text, _about(item, fields))


def _about(item: Mapping[Any, Any], fields: Mapping[str, str]) -> dict[str, str]:
    """What a record says of itself, under our names."""
    named = {name: item.get(fields.get(name, name)) for name in FIELDS if name != "text"}
    return {name: str(value) for name, value in named.items() if value not in (None, "")}
