"""What is given becomes a document: its text, its day of publication, its language; what is none of these is told."""

from __future__ import annotations

import hashlib
import re
from datetime import date, datetime

from extractor.errors import DocumentError
from extractor.models import Document

# Years before it are those of another calendar.
EARLIEST_YEAR = 1600
# The main part of a language tag, and what may follow: fa-IR, zh_Hans.
LANGUAGE = re.compile(r"([a-z]{2,3})(?:[-_].*)?")


def as_document(text: str | Document, *, published: date | str | None = None, language: str | None = None) -> Document:
    """A document out of a text. Its id comes from its content."""
    day, language = as_date(published), as_language(language)
    if isinstance(text, Document):
        given = {"published": day or as_date(text.published), "language": language or as_language(text.language)}
        return text.model_copy(update={name: value for name, value in given.items() if value is not None})
    if not isinstance(text, str):
        raise DocumentError(f"Expected a text or a Document, got {type(text).__name__}.")
    name = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return Document(id=name, text=text, published=day, language=language)


def as_date(day: date | str | None) -> date | None:
    """A date as it is, or out of ISO `YYYY-MM-DD`. Raises DocumentError for anything else."""
    if day is None:
        return None
    try:
        found = day if isinstance(day, date) else date.fromisoformat(day)
    except (TypeError, ValueError):
        raise DocumentError(f"The day of publication is {day!r}; expected a date or YYYY-MM-DD.") from None
    found = found.date() if isinstance(found, datetime) else found
    if found.year < EARLIEST_YEAR:
        raise DocumentError(
            f"The day of publication is {day!r}; expected a Gregorian day, not one of another calendar.",
            hint="Convert it: 1403-02-27 is 2024-05-16.",
        )
    return found


def as_language(code: str | None) -> str | None:
    """An ISO 639 code: `fa` out of `fa-IR`; None for an empty one. Raises DocumentError for anything else."""
    if code is None or (isinstance(code, str) and not code.strip()):
        return None
    found = LANGUAGE.fullmatch(code.strip().lower()) if isinstance(code, str) else None
    if found is None:
        raise DocumentError(
            f"The language is {code!r}; expected an ISO 639 code.", hint="Such as fa, ar or en; or leave it out."
        )
    return found[1]
