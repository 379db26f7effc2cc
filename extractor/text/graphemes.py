"""Where a text may be cut: never inside what a reader sees as one character."""

from __future__ import annotations

import unicodedata

REACH = 48


def cluster_end(text: str, end: int) -> int:
    """The offset itself, or the end of the grapheme cluster that it would cut."""
    if not 0 < end < len(text) or not _may_join(text[end - 1], text[end]):
        return end
    return next((border for border in _borders(text, end) if border >= end), end)


def cluster_start(text: str, start: int) -> int:
    """The offset itself, or the start of the grapheme cluster that it would cut."""
    if not 0 < start < len(text) or not _may_join(text[start - 1], text[start]):
        return start
    return max((border for border in _borders(text, start) if border <= start), default=start)


def _may_join(before: str, after: str) -> bool:
    """A quick no for the usual: letters, digits, spaces and marks of punctuation of one code point each."""
    if PLAIN[before] and PLAIN[after]:
        return False
    return before == "\r" or not (before.isascii() and after.isascii())


class _Plain(dict[str, bool]):
    """Whether a character stands for itself alone, worked out when it is first met."""

    def __missing__(self, char: str) -> bool:
        plain = self[char] = _is_plain(char)
        return plain


PLAIN = _Plain()


def _is_plain(char: str) -> bool:
    return unicodedata.category(char) in ("Ll", "Lu", "Nd", "Zs", "Po", "Ps", "Pe", "Pd") or (
        "\u0600" <= char <= "\u06ff" and char.isalpha()
    )


def _borders(text: str, around: int) -> list[int]:
    """Cluster borders near an offset, counted from a place that is safe to begin at."""
    import regex

    begin = max(0, around - REACH)
    while (
        begin > 0
        and not (text[begin].isascii() and text[begin] != "\n" and text[begin - 1].isascii())
        and around - begin < 4 * REACH
    ):
        begin -= 1
    piece = text[begin : around + REACH]
    return [begin, *(begin + match.end() for match in regex.finditer(r"\X", piece))]
