"""Offsets as editors and browsers count them: UTF-8 bytes, UTF-16 units, and back to code points."""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate


class Offsets:
    """The offsets of one text in three units; made once for a text. Lone surrogates count as three bytes, one unit."""

    def __init__(self, text: str) -> None:
        self._bytes = [0, *accumulate(_utf8_length(ord(char)) for char in text)]
        self._units = [0, *accumulate(2 if ord(char) > 0xFFFF else 1 for char in text)]

    def to_utf8(self, start: int, end: int) -> tuple[int, int]:
        """Code points to bytes of UTF-8, half-open."""
        return self._bytes[start], self._bytes[end]

    def to_utf16(self, start: int, end: int) -> tuple[int, int]:
        """Code points to units of UTF-16, half-open: what JavaScript, Java and Windows count."""
        return self._units[start], self._units[end]

    def from_utf8(self, start: int, end: int) -> tuple[int, int]:
        """Bytes of UTF-8 to code points. Raises ValueError where a border cuts a character."""
        return _back(self._bytes, start), _back(self._bytes, end)

    def from_utf16(self, start: int, end: int) -> tuple[int, int]:
        """Units of UTF-16 to code points. Raises ValueError where a border cuts a surrogate pair."""
        return _back(self._units, start), _back(self._units, end)


def _utf8_length(code: int) -> int:
    return 1 if code < 0x80 else 2 if code < 0x800 else 3 if code < 0x10000 else 4


def _back(table: list[int], offset: int) -> int:
    place = bisect_left(table, offset)
    if place == len(table) or table[place] != offset:
        raise ValueError(f"offset {offset} does not stand between two characters")
    return place
