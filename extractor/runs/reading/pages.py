"""Web pages become documents: their main text, and what they declare of themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from extractor.errors import DocumentError
from extractor.runs.reading.encodings import decode
from extractor.runs.reading.records import Record

# Joiners, marks of direction and the soft hyphen: trafilatura drops what does not print, and with it half-spaces.
UNPRINTED = "\u200c\u200d\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u00ad"
# Signs of Linear B, which are letters and so are kept: they stand for these while the text is found.
STAND_INS = range(0x10080, 0x100FB)
NAMED = {"zwnj": "\u200c", "zwj": "\u200d", "lrm": "\u200e", "rlm": "\u200f", "shy": "\u00ad"}
REFERENCE = re.compile(r"&(?:#(\d{2,6})|#[xX]([0-9a-fA-F]{2,5})|(zwnj|zwj|lrm|rlm|shy));")
# Names of metadata that may hold the day; a day in a description, a text or a footer is no day of publication.
DATED = re.compile(r"date|time|publish|issued|created|modified|updated", re.IGNORECASE)
# Which of these is the month nobody can tell: 03/04/2024.
UNSURE = re.compile(r"\s*(?:0?[1-9]|1[0-2])[/.-](?:0?[1-9]|1[0-2])[/.-]\d{4}")


def read_page(data: bytes, name: str, fields: Mapping[str, str]) -> Iterator[Record]:
    """The main text of a page, its title, and its day of publication where it declares one."""
    try:
        import trafilatura
    except ImportError:
        raise DocumentError(f"{name} is HTML, which needs trafilatura.", hint="pip install 'extractor[html]'") from None
    page, kept = _hidden(REFERENCE.sub(_character, decode(data, name)))
    found: Any = trafilatura.bare_extraction(page, with_metadata=True, include_comments=False, include_tables=True)
    if found is None or not found.text:
        raise DocumentError(f"{name} has no main text.", hint="Save the article itself.")
    about = {"title": found.title, "published": _declared_day(page), "language": found.language, "url": found.url}
    yield Record(_shown(found.text, kept), {key: _shown(str(value), kept) for key, value in about.items() if value})


def _declared_day(page: str) -> str | None:
    """The day of publication as ISO, where the page declares one: in its head, its linked data, or an element marked as such."""
    from htmldate import find_date
    from lxml import html

    try:
        tree = html.document_fromstring(page.encode())
    except (ValueError, html.etree.ParserError):
        return None
    kept = html.document_fromstring("<html><head></head><body></body></html>")
    for element in tree.iter("meta", "link", "script", "time", "span", "abbr", "p", "div"):
        if _declares(element):
            element.tail = None
            kept.head.append(element if element.tag == "script" else html.Element(element.tag, dict(element.attrib)))
    return find_date(kept, extensive_search=False, original_date=True)


def _declares(element: Any) -> bool:
    said = element.attrib
    if element.tag == "script":
        return bool(said.get("type") == "application/ld+json")
    if element.tag == "link":
        return bool(said.get("rel") == "canonical")
    if element.tag == "meta":
        name = said.get("property") or said.get("name") or said.get("itemprop") or ""
        return bool(DATED.search(name)) and not UNSURE.fullmatch(said.get("content", "").strip())
    return bool("pubdate" in said or said.get("itemprop") == "datePublished")


def _hidden(page: str) -> tuple[str, dict[int, str]]:
    """The page with letters in the place of what does not print, and what each stands for."""
    present = [char for char in UNPRINTED if char in page]
    free = (code for code in STAND_INS if chr(code) not in page)
    table = {ord(char): chr(code) for char, code in zip(present, free, strict=False)}
    return page.translate(table), {ord(stand_in): chr(code) for code, stand_in in table.items()}


def _shown(text: str, kept: Mapping[int, str]) -> str:
    """As it stood in the page; in an address both may be written as bytes (%E2%80%8C)."""
    for code, char in kept.items():
        text = text.replace(quote(chr(code)), quote(char)) if "%" in text else text
    return text.translate(kept)


def _character(reference: re.Match[str]) -> str:
    """A reference to one of these as the character itself; others stay."""
    decimal, hexadecimal, named = reference.groups()
    char = NAMED[named] if named else chr(int(decimal) if decimal else int(hexadecimal, 16))
    return char if char in UNPRINTED else reference[0]
