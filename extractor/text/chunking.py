"""Long texts cut at paragraph and sentence borders; offsets stay those of the document."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass

LEAD = 300
SHORTEST_HALF = 200

# What may follow a full stop without ending a sentence, by what stands before it.
ABBREVIATIONS = frozenset(
    (  # noqa: SIM905 (a list of one word a line would fill two pages)
        "mr mrs ms dr prof gen col lt sgt capt gov sen rep rev hon st sr jr vs etc no art fig inc ltd co corp dept est "
        "jan feb mar apr jun jul aug sep sept oct nov dec e.g i.e cf al p.m a.m u.s u.k u.n d.c ph.d approx "
        "د أ م ص ت ق ه ب.ظ ق.ظ ه.ق ه.ش م.م г гг им ул тыс млн млрд руб т.е т.д т.п"
    ).split()
)
TERMINATOR = re.compile(r"""[.!?؟۔…]+["'»”’)\]]*(?=\s|$)|\n+""")
WORD_BEFORE = re.compile(r"[\w.]*\w$")


@dataclass(frozen=True, slots=True)
class Chunk:
    """A stretch of a document to be asked about: half-open offsets into it.

    `number` of `count` chunks, from 0. `length` is that of the whole document; `lead` its first
    paragraph, cut to 300 characters.
    """

    start: int
    end: int
    number: int
    count: int
    length: int
    lead: str

    @property
    def is_whole(self) -> bool:
        return (self.start, self.end) == (0, self.length)


def sentences(text: str) -> list[tuple[int, int]]:
    """Half-open offsets of the sentences: in order, without gaps, together the whole text.

    A line break ends one; `.`, `!`, `?`, `؟`, `۔`, `…` do with what closes a quotation after them,
    but for abbreviations, initials and a small letter that follows.
    """
    borders = [_skip_space(text, match.end()) for match in TERMINATOR.finditer(text) if _ends_sentence(text, match)]
    edges = sorted({0, *borders, len(text)})
    return [(start, end) for start, end in itertools.pairwise(edges)]


def chunk_text(text: str, *, size: int = 8000, overlap: int = 400) -> tuple[Chunk, ...]:
    """As few chunks as fit, of about equal size, none longer than `size` characters.

    A chunk ends at a sentence's end, at a paragraph's where one is near. Each but the first begins
    with whole sentences of the one before it, of at most `overlap` characters together.
    """
    if len(text) <= size:
        return (Chunk(0, len(text), 0, 1, len(text), lead(text)),)
    overlap = min(overlap, size // 4)
    pieces = _short_sentences(text, size - overlap)
    bounds = _bounds(text, pieces, size, overlap)
    return tuple(
        Chunk(start, end, number, len(bounds), len(text), lead(text)) for number, (start, end) in enumerate(bounds)
    )


def halve(text: str, chunk: Chunk) -> tuple[Chunk, Chunk] | None:
    """The chunk in two, at the sentence border nearest its middle; None where it is too short for that."""
    if chunk.end - chunk.start < 2 * SHORTEST_HALF:
        return None
    middle = (chunk.start + chunk.end) // 2
    borders = [chunk.start + end for _, end in sentences(text[chunk.start : chunk.end])][:-1]
    inner = [b for b in borders if chunk.start + SHORTEST_HALF <= b <= chunk.end - SHORTEST_HALF]
    cut = min(inner, key=lambda border: abs(border - middle), default=_word_border(text, chunk.start, middle))
    count = max(chunk.count, 2)
    return (
        Chunk(chunk.start, cut, chunk.number, count, chunk.length, chunk.lead),
        Chunk(cut, chunk.end, chunk.number, count, chunk.length, chunk.lead),
    )


def lead(text: str) -> str:
    """The first paragraph that is not empty, cut to 300 characters at a word."""
    first = next((line.strip() for line in text.split("\n") if line.strip()), "")
    return first if len(first) <= LEAD else first[:LEAD].rsplit(" ", 1)[0] + " …"


def _ends_sentence(text: str, match: re.Match[str]) -> bool:
    if match[0].startswith("\n") or match[0][0] != "." or match[0].startswith(".."):
        return True
    before = WORD_BEFORE.search(text, max(0, match.start() - 12), match.start())
    word = before[0] if before else ""
    if word.lower() in ABBREVIATIONS or (len(word) == 1 and word.isalpha() and word.isupper()):
        return False
    following = text[_skip_space(text, match.end()) : _skip_space(text, match.end()) + 1]
    return not (following.islower() and following.isascii())


def _skip_space(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _short_sentences(text: str, most: int) -> list[tuple[int, int]]:
    """Sentences, those longer than a chunk cut at words."""
    pieces = []
    for start, end in sentences(text):
        while end - start > most:
            cut = _word_border(text, start, start + most)
            pieces.append((start, cut))
            start = cut
        pieces.append((start, end))
    return pieces


def _word_border(text: str, start: int, at: int) -> int:
    """The last place up to `at` where a word begins; `at` itself, before combining marks, where there is none."""
    space = max(text.rfind(" ", start + 1, at), text.rfind("\n", start + 1, at))
    if space > start:
        return space + 1
    import unicodedata

    while at > start + 1 and (unicodedata.combining(text[at]) or text[at] in "\u200c\u200d"):
        at -= 1
    return at


def _bounds(text: str, pieces: list[tuple[int, int]], size: int, overlap: int) -> list[tuple[int, int]]:
    step = size - overlap
    count = max(2, -(-(len(text) - overlap) // step))
    target = (len(text) - overlap) / count + overlap
    bounds: list[tuple[int, int]] = []
    first = 0
    while first < len(pieces):
        start = _back(pieces, first, overlap) if bounds else pieces[0][0]
        last = _last(text, pieces, first, start, size, target)
        bounds.append((start, pieces[last][1]))
        first = last + 1
    return bounds


def _back(pieces: list[tuple[int, int]], first: int, overlap: int) -> int:
    """Where a chunk begins whose own first sentence is `first`: whole sentences earlier."""
    back = first
    while back > 0 and pieces[first][0] - pieces[back - 1][0] <= overlap:
        back -= 1
    return pieces[back][0]


def _last(text: str, pieces: list[tuple[int, int]], first: int, start: int, size: int, target: float) -> int:
    """The last sentence of the chunk: by its even share of the text, or at a paragraph's end near to it."""
    fitting = first
    while fitting + 1 < len(pieces) and pieces[fitting + 1][1] - start <= size:
        fitting += 1
    if fitting == len(pieces) - 1:
        return fitting
    even = min(range(first, fitting + 1), key=lambda n: abs(pieces[n][1] - start - target))
    near = [
        n
        for n in range(first, fitting + 1)
        if pieces[n][1] - start >= 0.95 * target and _ends_paragraph(text, pieces[n])
    ]
    return min(near, key=lambda n: abs(n - even), default=even)


def _ends_paragraph(text: str, piece: tuple[int, int]) -> bool:
    return "\n" in text[piece[0] : piece[1]][-3:]
