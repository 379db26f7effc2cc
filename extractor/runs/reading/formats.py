"""Files of many kinds become documents: text, Markdown, HTML, JSON, JSON lines, CSV, PDF, DOCX, and gzip of these."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from extractor.errors import DocumentError
from extractor.runs.reading.encodings import decode
from extractor.runs.reading.pages import read_page
from extractor.runs.reading.records import FIELDS, RECORDS, Record, about_of, read_items, unzip

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
        hint=f"Kinds: {', '.join(ENDINGS)}, and .gz of these.",
    )


def is_read(name: str) -> bool:
    """Whether a file is of a kind that is read, by the ending of its name."""
    return name.lower().removesuffix(".gz").endswith(ENDINGS)


def holds_many(name: str) -> bool:
    """Whether a file is one of many records."""
    return name.lower().removesuffix(".gz").endswith(RECORDS)


def _text(data: bytes, name: str, fields: Mapping[str, str]) -> Iterator[Record]:
    yield Record(decode(data, name), {})


def _markdown(data: bytes, name: str, fields: Mapping[str, str]) -> Iterator[Record]:
    """Text as it stands; front matter is metadata and no part of it. What stands between two rules is text."""
    text = decode(data, name)
    match = FRONT_MATTER.match(text)
    head = _front_matter(match[1], name, fields) if match else {}
    about = about_of(head, fields)
    yield Record(text[match.end() :] if match and (about or not match[1].strip()) else text, about)


def _front_matter(head: str, name: str, fields: Mapping[str, str]) -> Mapping[Any, Any]:
    """What it says; nothing where it is no mapping, or broken and without any of the fields: then it is text."""
    import yaml

    try:
        found = yaml.safe_load(head)
    except (yaml.YAMLError, ValueError, RecursionError) as exc:  # of these, the second is a day that there is not
        if not re.search(rf"(?m)^({'|'.join(re.escape(fields.get(field, field)) for field in FIELDS)})[ \t]*:", head):
            return {}
        why = (str(exc).splitlines() or [type(exc).__name__])[0]
        raise DocumentError(f"{name}: its front matter cannot be read: {why}.", hint="Mend or remove it.") from None
    return found if isinstance(found, dict) else {}


def _many(data: bytes, name: str, fields: Mapping[str, str]) -> Iterator[Record]:
    """The records of a file of many; the first broken one ends it."""
    for item in read_items(name, data, fields):
        if isinstance(item, DocumentError):
            raise item
        yield item


def _pdf(data: bytes, name: str, fields: Mapping[str, str]) -> Iterator[Record]:
    try:
        from pypdf import PdfReader
    except ImportError:
        raise DocumentError(f"{name} is a PDF, which needs pypdf.", hint="pip install 'extractor[pdf]'") from None
    try:
        text = "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(data)).pages)
    except Exception as exc:  # whatever a parser meets in a damaged or closed file
        raise DocumentError(f"{name} is no PDF that can be read: {_told(exc)}.") from None
    if not text.strip():
        raise DocumentError(
            f"{name} holds no text: it may be a scan.", hint="Run it through character recognition first."
        )
    yield Record(text, {})


def _docx(data: bytes, name: str, fields: Mapping[str, str]) -> Iterator[Record]:
    """Paragraphs and tables as they follow each other; cells are parted by tabs."""
    try:
        import docx
    except ImportError:
        raise DocumentError(
            f"{name} is a DOCX, which needs python-docx.", hint="pip install 'extractor[docx]'"
        ) from None
    try:
        text = "\n".join(_blocks(docx.Document(io.BytesIO(data))))
    except Exception as exc:  # whatever a parser meets in a damaged file
        raise DocumentError(f"{name} is no DOCX that can be read: {_told(exc)}.") from None
    yield Record(text, {})


def _blocks(part: Any) -> Iterator[str]:
    """The text of each paragraph and of each row of a table; a cell that spans others is told once."""
    for block in part.iter_inner_content():
        if hasattr(block, "rows"):
            for row in block.rows:
                cells = {cell._tc: cell for cell in row.cells}
                yield "\t".join("\n".join(_blocks(cell)) for cell in cells.values())
        else:
            yield block.text


def _told(exc: Exception) -> str:
    return f"{type(exc).__name__}: {' '.join(str(exc).split())[:200]}"


Reader = Callable[[bytes, str, Mapping[str, str]], Iterator[Record]]
READERS: dict[tuple[str, ...], Reader] = {
    (".txt", ".text"): _text,
    (".md", ".markdown"): _markdown,
    (".html", ".htm", ".xhtml"): read_page,
    RECORDS: _many,
    (".pdf",): _pdf,
    (".docx",): _docx,
}
ENDINGS = tuple(ending for group in READERS for ending in group)
