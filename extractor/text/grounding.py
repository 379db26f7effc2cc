"""Quotes found in the text they are said to come from, or not found.

`TextIndex` folds a document once for all its quotes. A quote is looked for character for character, then folded
(spelling aside), then in pieces where it leaves words out, then with a small budget of edits. What is in the text in none of
these ways is not there: short, common words alone are no proof.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

from extractor.models import How, Span
from extractor.text.folding import QUOTES, TABLE, Folded, fold, fold_key
from extractor.text.fuzzy import best_window, is_slip
from extractor.text.graphemes import PLAIN, cluster_end, cluster_start

Near = Span | int | tuple[int, int] | None

LONG = 12
WIDEST = 32
MOST_PLACES = 200
# Names of up to so many letters that are all capitals are abbreviations.
SHORT_NAME = 5
PARTS = re.compile(r"[^\W_]+")
MOST_GAP = 400
WORD = re.compile(r"[^\W_]+(?:[\u200c\u200d'’\-][^\W_]+)*")
ELLIPSIS = re.compile(r"\s*[\[(]?(?:\.{3,}|…)[\])]?\s*")
EDGE = (
    " \t\r\n\u00a0\u2000\u2001\u2002\u2003\u2009\u202f\u3000\u200b\u200c\u200d"
    "\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
)
# What is never part of a word, and never joins the character beside it.
APART = frozenset(" .,،؛:()")
CLOSING = ".,;:!?،؛؟۔…"
# What Arabic and Persian write without a space before a word: and, so, with, for, as, the.
PROCLITICS = frozenset(
    "و ف ب ل ک ال وال فال بال لل کال ول فل وب وبال ولل فب فبال وک وکال س".split()  # noqa: SIM905 (a list would hide the words)
)
# What Persian and Arabic write behind a word without a space; the shorter ones only behind words that are long enough to be sure.
ENCLITICS = frozenset("ها های هایی هایش هایشان ی ای یی را اش شان مان تان یها یهای".split())  # noqa: SIM905 (as above)
SHORT_ENCLITICS = frozenset("ه ام ات ان هم نا ین ون ات".split())  # noqa: SIM905 (as above)


def locate_quote(text: str, quote: str, *, near: Near = None) -> Span | None:
    """Where a quote stands in a text, or None: half-open code-point offsets into the text as it is.

    Of several places the one nearest to `near` (an offset, a pair of offsets or a Span) is taken, else the first.
    For many quotes of one text, make a `TextIndex` of it once.
    """
    return TextIndex(text).locate(quote, near=near)


@dataclass(frozen=True, slots=True)
class Word:
    """A word of the text: where it stands there, and where in the folded text."""

    start: int
    end: int
    folded_start: int
    folded_end: int


class TextIndex:
    """A text made ready for finding quotes and names in it."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def folded(self) -> Folded:
        return fold(self.text)

    @cached_property
    def words(self) -> list[Word]:
        at = self.folded.at
        places = ((match.start(), match.end()) for match in WORD.finditer(self.text))
        words = (Word(start, end, at(start), at(end)) for start, end in places)
        return [word for word in words if word.folded_end > word.folded_start]

    @cached_property
    def by_word(self) -> dict[str, list[int]]:
        """Folded word -> numbers of the words that are it."""
        found: dict[str, list[int]] = defaultdict(list)
        for number, word in enumerate(self.words):
            found[self.folded.text[word.folded_start : word.folded_end]].append(number)
        return dict(found)

    def locate(self, quote: str, *, near: Near = None, within: Span | None = None) -> Span | None:
        """Where a quote stands. Places inside `within` come first, then the one nearest to `near`."""
        quote = trim(quote)
        if not quote or len(quote) > 2 * len(self.text) + 16:
            return None
        exact = self._exact(quote, near, within)
        if exact and _is_inside(exact, within) and not _distance(exact, _as_range(near)):
            return exact
        # Spelt otherwise, but here, is nearer the truth than letter for letter somewhere else.
        return (
            self._folded(quote, near, within)
            or exact
            or self._elided(quote, near, within)
            or self._fuzzy(quote, near, within)
        )

    def locate_name(self, name: str, *, near: Near = None, within: Span | None = None) -> Span | None:
        """Where a name or a word stands, also behind proclitics and inside a word glued to another; never by a slip."""
        name = trim(name)
        if not name:
            return None
        found = self._first_fit(self._places(name, names=True, around=_around(near, within)), near, within)
        return found or self._best(self._behind_lam(name), near, within)

    def locate_all_names(self, name: str) -> list[Span]:
        """All places of a name, in order."""
        places = self._places(trim(name), names=True, most=len(self.text))
        return sorted((span for _, span in places), key=lambda span: span.start)

    def _behind_lam(self, name: str) -> list[tuple[int, Span]]:
        """Arabic drops the alif of the article behind the preposition: الحكومة in للحكومة is found as حكومة."""
        if not name.startswith("ال") or len(name) < 5:
            return []
        return [
            (cost, span)
            for cost, span in self._places(name[2:], names=True)
            if self._rest_before(span.start) in ("لل", "ولل", "فلل")
        ]

    # -- the four ways

    def _exact(self, quote: str, near: Near, within: Span | None) -> Span | None:
        return self._first_fit(self._exact_places(quote, _around(near, within)), near, within)

    def _exact_places(self, quote: str, around: int | None) -> Iterator[tuple[int, Span]]:
        for start in _occurrences(self.text, quote, around=around):
            end = start + len(quote)
            if self._is_apart(start, end):
                yield 0, Span.at(start, end)
                continue
            cost = self._border_cost(start, end, names=False)
            if cost is not None and cluster_start(self.text, start) == start and cluster_end(self.text, end) == end:
                yield cost, Span.at(start, end)

    def _folded(self, quote: str, near: Near, within: Span | None) -> Span | None:
        for form in dict.fromkeys((quote, quote.rstrip(CLOSING + EDGE), quote.strip(CLOSING + EDGE))):
            found = self._best(list(self._places(form, names=False, around=_around(near, within))), near, within)
            if (found and _marks(self.text[found.start : found.end]) in (0, _marks(form))) or (
                found and form == quote.strip(CLOSING + EDGE)
            ):
                return found
        return None

    def _elided(self, quote: str, near: Near, within: Span | None) -> Span | None:
        pieces = [trim(piece) for piece in ELLIPSIS.split(quote)]
        pieces = [piece for piece in pieces if fold_key(piece)]
        if len(pieces) < 2:
            return self.locate(pieces[0], near=near, within=within) if pieces and pieces[0] != quote else None
        if not all(_is_proof(piece) for piece in pieces[:1]) or not any(_is_proof(piece) for piece in pieces[1:]):
            return None
        chains = [chain for first in self._firsts(pieces[0]) if (chain := self._chain(first, pieces[1:]))]
        spans = [
            (
                0,
                Span(
                    start=chain[0].start, end=chain[-1].end, how="elided", parts=tuple((s.start, s.end) for s in chain)
                ),
            )
            for chain in chains
        ]
        return self._best(spans, near, within)

    def _firsts(self, piece: str) -> list[Span]:
        places = [span for _, span in self._places(piece, names=False)]
        if places:
            return places
        slip = self._fuzzy(piece, None, None)
        return [slip] if slip else []

    def _chain(self, first: Span, pieces: list[str]) -> list[Span] | None:
        """The pieces after the first, each behind the last and not far from it."""
        chain = [first]
        for piece in pieces:
            last = chain[-1].end
            following = [
                span for _, span in self._places(piece, names=False, after=last) if span.start - last <= MOST_GAP
            ]
            if not following:
                slip = self._fuzzy(piece, last, None)
                following = [slip] if slip and 0 <= slip.start - last <= MOST_GAP else []
            if not following:
                return None
            chain.append(min(following, key=lambda span: span.start))
        return chain

    def _fuzzy(self, quote: str, near: Near, within: Span | None) -> Span | None:
        """Within a budget of edits; see `extractor.text.fuzzy` for what counts as a slip."""
        words = quote_words(quote)
        if len(words) < 3 or not self.words:
            return None
        letters = "".join(words)
        spans = []
        for begin, end in self._windows(words, len(letters)):
            place = best_window(letters, self.folded.text[begin:end])
            if place is None:
                continue
            span = self._slip(words, begin + place[0], begin + place[1])
            if span:
                spans.append((0, span))
        return self._best(spans, near, within)

    def _windows(self, words: list[str], length: int) -> Iterable[tuple[int, int]]:
        """Stretches of the folded text where the quote may stand: around its rarest words."""
        known = [(len(self.by_word[word]), offset, word) for offset, word in _offsets(words) if word in self.by_word]
        known = sorted((entry for entry in known if entry[0] <= 24), key=lambda entry: (entry[0], -len(entry[2])))[:4]
        votes: dict[int, int] = defaultdict(int)
        grain = max(12, length // 4)
        for _, offset, word in known:
            for number in self.by_word[word]:
                votes[(self.words[number].folded_start - offset) // grain] += 1
        ranked = sorted(votes, key=lambda bin_: -(votes[bin_] + max(votes.get(bin_ - 1, 0), votes.get(bin_ + 1, 0))))
        seen: list[int] = []
        for bin_ in ranked:
            if all(abs(bin_ - other) > 1 for other in seen):
                seen.append(bin_)
                begin = max(0, bin_ * grain - grain - WIDEST)
                yield begin, min(len(self.folded.text), bin_ * grain + 2 * grain + length + WIDEST)
            if len(seen) >= 3:
                return

    def _slip(self, words: list[str], start: int, end: int) -> Span | None:
        """The whole words around a stretch of the folded text that the quote is a slip of, if any.

        A word left out near an edge makes the best stretch too short: a word or two more are tried.
        """
        first, last = self._words_at(start, end)
        for back in (0, 1, -1, 2, 3):
            for on in (0, 1, -1, 2, 3):
                low, high = first - back, last + on
                if 0 <= low <= high < len(self.words) and self._edges_fit(words, low, high):
                    span = Span(
                        start=self.words[low].start, end=cluster_end(self.text, self.words[high].end), how="fuzzy"
                    )
                    if is_slip(words, quote_words(self.text[span.start : span.end])):
                        return span
        return None

    def _edges_fit(self, words: list[str], first: int, last: int) -> bool:
        """Whether the first and last word of a stretch could be those of the quote: they share a letter at least."""
        low, high = self.words[first], self.words[last]
        begins = self.folded.text[low.folded_start : low.folded_end]
        ends = self.folded.text[high.folded_start : high.folded_end]
        return bool(set(begins[:2]) & set(words[0][:2])) and bool(set(ends[-2:]) & set(words[-1][-2:]))

    def _words_at(self, start: int, end: int) -> tuple[int, int]:
        """The numbers of the first and last word of a stretch of the folded text."""
        first = bisect_left(self._word_starts, start)
        if first > 0 and self.words[first - 1].folded_end - start > start - self.words[first - 1].folded_start:
            first -= 1
        return min(first, len(self.words) - 1), bisect_left(self._word_starts, end) - 1

    @cached_property
    def _word_starts(self) -> list[int]:
        return [word.folded_start for word in self.words]

    # -- places of a folded form

    def _places(
        self, form: str, *, names: bool, after: int = 0, around: int | None = None, most: int = MOST_PLACES
    ) -> Iterator[tuple[int, Span]]:
        """Where the form stands, spelling aside, with a cost for borders that fall inside a word.

        Of a form that stands in more than `most` places, the first of them and those `around` an offset.
        """
        letters = fold_key(form)
        if not (letters.isalnum() or any(map(str.isalnum, letters))):
            return
        folded = self.folded
        near = None if around is None else folded.at(around)
        for at in _occurrences(folded.text, letters, folded.at(after) if after else 0, around=near, most=most):
            # A character that folds to several (a ligature) is not cut.
            if folded.cuts(at) or folded.cuts(at + len(letters)):
                continue
            start, end = folded.place(at, at + len(letters))
            if self._is_apart(start, end) and self.text[start:end] == form:
                yield 0, Span.at(start, end)
                continue
            if names and not _reads_as(form, self.text[start:end]):
                continue
            start, end = (start, end) if names else self._without_slivers(form, start, end)
            cost = self._border_cost(start, end, names=names)
            if cost is not None:
                yield cost, self._dress(form, start, end)

    def _without_slivers(self, form: str, start: int, end: int) -> tuple[int, int]:
        """A letter or two of the word before or behind, which a doubled letter of the quote took in, are let go.

        A word of the quote is none: `5 November` is not in `15 November`, nor `لا اتفاق` in `مثلا اتفاق`.
        """
        if end - start < LONG:
            return start, end
        inside = next((n for n in range(start, start + 3) if not _in_word(self.text[n])), None)
        words = [fold_key(part) for part in PARTS.findall(form)]
        if inside is not None and [fold_key(self.text[start:inside])] == words[:1]:
            inside = None
        if inside is not None and self._rest_before(start) not in ("", *PROCLITICS):
            start = next(n for n in range(inside, end) if _in_word(self.text[n]))
        inside = next((n for n in range(end - 1, end - 4, -1) if not _in_word(self.text[n])), None)
        if inside is not None and [fold_key(self.text[inside:end])] == words[-1:]:
            inside = None
        if inside is not None and self._rest_behind(end) not in ("", *ENCLITICS):
            end = next(n for n in range(inside, start, -1) if _in_word(self.text[n])) + 1
        return start, end

    def _dress(self, form: str, start: int, end: int) -> Span:
        """Take in the quotation marks and whole characters at the edges that the quote has."""
        while end < len(self.text) and _in_word(self.text[end]) and not TABLE[self.text[end]]:
            end += 1
        end = cluster_end(self.text, end)
        start = cluster_start(self.text, start)
        if form[0] in QUOTES and start > 0 and self.text[start - 1] in QUOTES:
            start -= 1
        if form[-1] in QUOTES and end < len(self.text) and self.text[end] in QUOTES:
            end += 1
        how: How = "exact" if self.text[start:end] == form else "folded"
        return Span.at(start, end, how)

    def _is_apart(self, start: int, end: int) -> bool:
        """Whether a stretch stands between spaces or full stops, with letters at its edges: the usual, seen at a glance."""
        text = self.text
        return (
            PLAIN[text[start]]
            and PLAIN[text[end - 1]]
            and (start == 0 or text[start - 1] in APART)
            and (end == len(text) or text[end] in APART)
        )

    def _border_cost(self, start: int, end: int, *, names: bool) -> int | None:
        """0 for whole words, more where a border falls inside a word; None where that is no place at all."""
        text = self.text
        if (start == 0 or not _in_word(text[start - 1])) and (end == len(text) or not _in_word(text[end])):
            return 0
        before, behind = self._rest_before(start), self._rest_behind(end)
        if not before and not behind:
            return 0
        letters = end - start
        suffix = not behind or behind in ENCLITICS or (behind in SHORT_ENCLITICS and letters >= 5)
        if suffix and (not before or before in PROCLITICS):
            return 1
        if names:
            # Glued words (وزيرالخارجية): one border is a word's, and enough of the word is there to be sure.
            glued = (not before and letters >= 3 and len(behind) >= 3) or (
                not behind and letters >= 4 and len(before) >= 3
            )
            return (
                2
                if glued and self._is_arabic(start) and self._splits_well(self.text[start:end], before, behind)
                else None
            )
        return 3 if letters >= LONG and self._is_glued(start, end, before, behind) else None

    def _is_glued(self, start: int, end: int, before: str, behind: str) -> bool:
        """Whether what goes on at a border is a word of its own, as where spaces were lost; a prefix is none, nor a digit."""
        edges = [(before, self.text[start]), (behind, self.text[end - 1])]
        return all(
            not rest or (len(rest) >= 3 and rest.isalpha() and rest in self.by_word and edge.isalpha())
            for rest, edge in edges
        ) and self._is_arabic(start if before else end - 1)

    def _splits_well(self, name: str, before: str, behind: str) -> bool:
        """The other half of a glued word is a word too: it begins with an article, or stands alone elsewhere."""
        rest = before or behind
        return "ال" in (rest[:2] if not before else "", name[:2] if not behind else "") or rest in self.by_word

    def _is_arabic(self, at: int) -> bool:
        return "\u0600" <= self.text[at] <= "\u06ff" or "\ufb50" <= self.text[at] <= "\ufeff"

    def _rest_before(self, start: int) -> str:
        """The folded letters of the same word before an offset; a half-space ends a word."""
        at = start
        while at > 0 and start - at < 24 and _in_word(self.text[at - 1]):
            at -= 1
        return fold_key(self.text[at:start]) if _in_word(self.text[start]) else ""

    def _rest_behind(self, end: int) -> str:
        at = end
        while at < len(self.text) and at - end < 24 and _in_word(self.text[at]):
            at += 1
        return fold_key(self.text[end:at]) if _in_word(self.text[end - 1]) else ""

    def _first_fit(self, places: Iterable[tuple[int, Span]], near: Near, within: Span | None) -> Span | None:
        """The best of places that come in the order of the text; the first that none can be better than ends the search."""
        target = _as_range(near)
        seen = []
        for cost, span in places:
            if not cost and _is_inside(span, within) and (target is None or not _distance(span, target)):
                return span
            seen.append((cost, span))
        return self._best(seen, near, within)

    def _best(self, places: list[tuple[int, Span]], near: Near, within: Span | None) -> Span | None:
        """The cheapest borders; then inside `within`; then nearest to `near`; then first."""
        if not places:
            return None
        if len(places) == 1:
            return places[0][1]
        target = _as_range(near)

        def rank(place: tuple[int, Span]) -> tuple[bool, int, int, int]:
            cost, span = place
            return not _is_inside(span, within), cost, _distance(span, target), span.start

        return min(places, key=rank)[1]


def trim(quote: str) -> str:
    """The quote without white space, invisible characters and ellipses at its edges."""
    trimmed = quote.strip(EDGE)
    while trimmed.startswith(("...", "…")) or trimmed.endswith(("...", "…")):
        shorter = trimmed.strip("…").strip(EDGE)
        shorter = shorter[3:] if shorter.startswith("...") else shorter
        shorter = shorter[:-3] if shorter.endswith("...") else shorter
        if shorter == trimmed:
            break
        trimmed = shorter.strip(EDGE)
    return trimmed


@lru_cache(maxsize=4096)
def _words_of(quote: str) -> tuple[str, ...]:
    return tuple(folded for match in WORD.finditer(quote) if (folded := fold_key(match[0])))


def quote_words(quote: str) -> list[str]:
    """The folded words of a quote."""
    return list(_words_of(quote))


def _offsets(words: list[str]) -> Iterator[tuple[int, str]]:
    at = 0
    for word in words:
        yield at, word
        at += len(word)


def _occurrences(
    text: str, part: str, since: int = 0, *, around: int | None = None, most: int = MOST_PLACES
) -> Iterator[int]:
    """Where a part occurs, at most so many places, and as many around an offset; no further than is asked for."""
    at = text.find(part, since)
    for _ in range(most):
        if at < 0:
            return
        yield at
        last, at = at, text.find(part, at + 1)
    if around is None or at < 0:
        return
    at = ahead = max(last + 1, since, around)
    for _ in range(most):
        at = text.find(part, at)
        if at < 0:
            break
        yield at
        at += 1
    at = ahead
    for _ in range(most):
        at = text.rfind(part, last + 1, at + len(part) - 1)
        if at < 0:
            return
        yield at


def _around(near: Near, within: Span | None) -> int | None:
    """The offset near which a place is looked for."""
    target = _as_range(near)
    return target[0] if target else within.start if within else None


def _reads_as(name: str, found: str) -> bool:
    """Whether a Latin name is parted into words as in the text, and an abbreviation is one there: Togo is not `to go`."""
    if not name.isascii():
        return True
    if name.isupper() and len(name) <= SHORT_NAME and not found.isupper():
        return False
    return [len(word) for word in PARTS.findall(name)] == [len(word) for word in PARTS.findall(found)]


def _marks(text: str) -> int:
    """How many quotation marks there are: an edge that takes in half a pair has one more than the quote."""
    return sum(char in QUOTES for char in text)


def _is_proof(piece: str) -> bool:
    """Enough words to be more than a coincidence."""
    words = quote_words(piece)
    return len(words) >= 2 or (bool(words) and len(words[0]) >= 6)


def _in_word(char: str) -> bool:
    return char.isalnum() or "\u064b" <= char <= "\u065f" or char == "\u0640"


def _as_range(near: Near) -> tuple[int, int] | None:
    if near is None:
        return None
    if isinstance(near, Span):
        return near.start, near.end
    return (near, near) if isinstance(near, int) else near


def _is_inside(span: Span, within: Span | None) -> bool:
    return within is None or (within.start <= span.start and span.end <= within.end)


def _distance(span: Span, target: tuple[int, int] | None) -> int:
    if target is None:
        return 0
    return max(0, span.start - target[1], target[0] - span.end)
