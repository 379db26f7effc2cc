"""Web pages become documents: their main text, and what they declare of themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from extractor.errors import DocumentError
from extractor.runs.reading.encodings import decode
from extractor.runs.reading.records import Record

# Joiners, marks of direction and the soft hyphen: trafilatura drops what does not print, and with it half-spaces.
UNPRINTED = "\u200c\u200d\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u00ad"
# Signs of Linear B, which are letters and so are kept: they stand for these while the text is found.
STAND_INS = range(0x10080, 0x100FB)
NAMED = {"zwnj": "\u200c", "zwj": "\u200d", "lrm": "\u200e", "rlm": "\u200f", "shy": "\u00ad"}
REFERENCE = re.compile(r"&(?:#(\d{2,6})|#[xX]([0-9a-fA-F]{2,5})|(zwnj|zwj|lrm|rlm|shy));")
# Only what a page declares: a year in its footer, or a day in its text, is no day of publication.
DECLARED = {"extensive_search": False, "original_date": True}


def read_page(data: bytes, name: str, fields: Mapping[str, str]) -> Iterator[Record]:
    """The main text of a page, its title, and its day of publication where it declares one."""
    try:
        import trafilatura
    except ImportError:
        raise DocumentError(f"{name} is HTML, which needs trafilatura.", hint="pip install 'extractor[html]'") from None
    page, kept = _hidden(REFERENCE.sub(_character, decode(data, name)))
    found: Any = trafilatura.bare_extraction(
        page, with_metadata=True, include_comments=False, include_tables=True, date_extraction_params=DECLARED
    )
    if found is None or not found.text:
        raise DocumentError(f"{name} has no main text.", hint="Save the article itself.")
    about = {"title": found.title, "published": found.date, "language": found.language, "url": found.url}
    yield Record(_shown(found.text, kept), {key: _shown(str(value), kept) for key, value in about.items() if value})


def _hidden(page: str) -> tuple[str, dict[int, str]]:
    """The page with letters in the place of what does not print, and what each stands for."""
    present = [char for char in UNPRINTED if char in page]
    free = (code for code in STAND_INS if chr(code) not in page)
    table = {ord(char): chr(code) for char, code in zip(present, free, strict=False)}
    return page.translate(table), {ord(stand_in): chr(code) for code, stand_in in table.items()}


def _shown(text: str, kept: Mapping[int, str]) -> str:
    return text.translate(kept)


def _character(reference: re.Match[str]) -> str:
    """A reference to one of these as the character itself; others stay."""
    decimal, hexadecimal, named = reference.groups()
    char = NAMED[named] if named else chr(int(decimal) if decimal else int(hexadecimal, 16))
    return char if char in UNPRINTED else reference[0]
