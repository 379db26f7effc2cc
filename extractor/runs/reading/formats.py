"""Files of many kinds become documents: text, Markdown, HTML, JSON, JSON lines, CSV, PDF, DOCX, and gzip of these."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from extractor.errors import DocumentError
from extractor.runs.reading.encodings import decode
from extractor.runs.reading.records import RECORDS, Record, about_of, read_items, unzip

FRONT_MATTER = re.compile(r"\A---[ \t]*\r?\n(.*?)\r?\n---[ \t]*\r?\n", re.DOTALL)


def read_records(name: str, data: bytes, fields: Mapping[str, str]) -> Iterator[Record]:
    """The documents of a file, by the ending of its name. Raises DocumentError where it cannot be read."""
    ending = name.lower()
    if ending.endswith(".gz"):
        yield from read_records(name[:-3], unzip(data, name), fields)
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
    return name.lower().removesuffix(".gz").endswith(RECORDS)


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
    yield Record(text[match.end() :], about_of(head if isinstance(head, dict) else {}, fields))


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


def _many(data: bytes, name: str, fields: Mapping[str, str]) -> Iterator[Record]:
    """The records of a file of many; the first broken one ends it."""
    for item in read_items(name, data, fields):
        if isinstance(item, DocumentError):
            raise item
        yield item


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
    RECORDS: _many,
    (".pdf",): _pdf,
    (".docx",): _docx,
}
