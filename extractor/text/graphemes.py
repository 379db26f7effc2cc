"""Where a text may be cut: never inside what a reader sees as one character."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import takewhile
from typing import Any

REACH = 48
FURTHEST = 4 * REACH


def cluster_end(text: str, end: int) -> int:
    """The offset itself, or the end of the grapheme cluster that it would cut."""
    if not 0 < end < len(text) or not _may_join(text[end - 1], text[end]):
        return end
    return next((border for border in _borders(text, end) if border >= end), end)


def cluster_start(text: str, start: int) -> int:
    """The offset itself, or the start of the grapheme cluster that it would cut."""
    if not 0 < start < len(text) or not _may_join(text[start - 1], text[start]):
        return start
    return max(takewhile(lambda border: border <= start, _borders(text, start)))


def _may_join(before: str, after: str) -> bool:
    """A quick no for the usual: letters, digits, spaces and marks of punctuation of one code point each."""
    if PLAIN[before] and PLAIN[after]:
        return False
    if before.isascii() and after.isascii():
        return before == "\r" and after == "\n"
    return True


class _Plain(dict[str, bool]):
    """Whether a character stands for itself alone, worked out when it is first met."""

    def __missing__(self, char: str) -> bool:
        plain = self[char] = _is_plain(char)
        return plain


PLAIN = _Plain()


def _is_plain(char: str) -> bool:
    return (
        char == "\n"
        or unicodedata.category(char) in ("Ll", "Lu", "Nd", "Zs", "Po", "Ps", "Pe", "Pi", "Pf", "Pd", "Sm", "Sc")
        or ("\u0600" <= char <= "\u06ff" and char.isalpha())
    )


def _borders(text: str, around: int) -> Iterator[int]:
    """Cluster borders near an offset in their order, from a place before it that is one for certain, if there is one near."""
    furthest = max(0, around - FURTHEST)
    places = range(around - 1, furthest, -1)
    begin = next((place for place in places if not _may_join(text[place - 1], text[place])), furthest)
    yield begin
    for match in _clusters().finditer(text[begin : around + REACH]):
        yield begin + match.end()


@lru_cache(maxsize=1)
def _clusters() -> Any:
    import regex

    return regex.compile(r"\X")
