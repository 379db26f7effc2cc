"""Phrases made one token, and words without bearing on the day left out: the first half of the grammar.

Each rule is a regular expression over the shape (see `tokens`) and what takes the place of its match.
Order matters: a phrase is put together before the words next to it are looked at.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from extractor.text.dates.tokens import Token, shape

Tokens = list[Token]
Action = Callable[[Tokens], Tokens]

_UNITS = {"d": "r", "D": "r", "k": "W", "K": "W", "l": "O", "L": "O", "y": "R", "J": "R", "Q": "V"}
_UNKNOWN = [Token("!")]


def _drop(_: Tokens) -> Tokens:
    return []


def _keep(kinds: str) -> Action:
    return lambda tokens: [token for token in tokens if token.kind in kinds]


def _find(tokens: Tokens, kinds: str) -> Token:
    return next(token for token in tokens if token.kind in kinds)


def _same_month(tokens: Tokens) -> Tokens:
    """A month by two names, as in "آب/أغسطس": one month, if both names mean the same."""
    first, second = _keep("m")(tokens)
    return [first] if (first.value, first.cal) == (second.value, second.cal) else tokens


def _ago(tokens: Tokens) -> Tokens:
    unit = _find(tokens, "dDkKlLyJ")
    count = next((token.value for token in tokens if token.kind in "nN"), 1)
    return [Token(_UNITS[unit.kind], -count)]


def _relative(tokens: Tokens) -> Tokens:
    """A unit with a mark, as in "last week"."""
    mark = _find(tokens, "ptfA")
    cal = next((token.cal for token in tokens if token.kind == "c"), None)
    return [Token(_UNITS[_find(tokens, "klyQ").kind], -1 if mark.kind == "A" else mark.value, cal)]


def _back(tokens: Tokens) -> Tokens:
    """The same week, month or year as one named before."""
    cal = next((token.cal for token in tokens if token.kind == "c"), None)
    return [Token(_UNITS[_find(tokens, "kly").kind], 0, cal, back=True)]


def _with_calendar(tokens: Tokens) -> Tokens:
    return [_find(tokens, "YROinv")._replace(cal=_find(tokens, "c").cal)]


def _month_with_calendar(tokens: Tokens) -> Tokens:
    return tokens[:1] if tokens[0].cal == tokens[1].cal else _UNKNOWN


def _short_year(tokens: Tokens) -> Tokens:
    """Two digits after "year": a year without its century."""
    number = _find(tokens, "n")
    two_digits = len(number.text) == 2 if number.text else number.value >= 10
    return [number._replace(kind="i")] if two_digits else _UNKNOWN


def _night_of_weekday(tokens: Tokens) -> Tokens:
    """ "Saturday last night" in Persian is the night of last Saturday."""
    return [tokens[0], Token("p", -1)] if tokens[1].text == "شبگذشته" else tokens


def _nights_ago(tokens: Tokens) -> Tokens:
    return [Token("r", -tokens[0].value)] if tokens[1].text == "شب" else _UNKNOWN


_NIGHTS = frozenset(("شب", "اوایلشب", "اواخرشب", "لیله", "منتصفلیله"))


def _eve(tokens: Tokens) -> Tokens:
    """The night "of" Friday, or of a Hijri day, may be the one before it; that of another day of a month is its own."""
    is_eve = any(token.kind == "z" and token.text in _NIGHTS for token in tokens)
    return _UNKNOWN if is_eve and not _has_day_from_midnight(tokens) else tokens


_MORNINGS = frozenset(
    ("بامداد", "صبح", "سحر", "سحرگاه", "سپیدهدم", "دمصبح", "ساعاتاولیهبامداد", "ساعاتاولیهصبح", "صباح", "فجر")
)
_JOINING = _NIGHTS | {"لیل", "night"}


def _night_between(tokens: Tokens) -> Tokens:
    """The night "of" one weekday to the morning of the next, or into it, is the one that joins them."""
    first, last = _keep("w")(tokens)
    night, *others = [token.text for token in tokens if token.kind == "z"]
    is_sure = night == "لیله" or "I" in shape(tokens) or not _MORNINGS.isdisjoint(others)
    joins = night in _JOINING and (last.value - first.value) % 7 == 1
    return [first, Token("T"), last] if joins and is_sure else tokens


def _night_of_two(tokens: Tokens) -> Tokens:
    """The night of two weekdays in a row, in Arabic, is the one that joins them."""
    first, last = _keep("w")(tokens)
    joins = tokens[0].text in ("لیل", "لیله") and (last.value - first.value) % 7 == 1
    return [first, Token("T"), last] if joins else tokens


_THIS_MONTH = frozenset(("الجاری", "جاری"))


def _of_the_current(tokens: Tokens) -> Tokens:
    """A day "of the current" is one of the month of publication, in Arabic."""
    return [*_keep("no")(tokens), Token("O", 0)] if tokens[-1].text in _THIS_MONTH else tokens


def _has_day_from_midnight(tokens: Tokens) -> bool:
    """Whether a day of a month is written, no holiday, in a calendar whose days do not begin at sunset."""
    if tokens[-1].kind == "v":
        return tokens[-1].cal != "hijri"
    named = [token for token in tokens if token.kind in "nom"]
    return len(named) > 1 and named[0].text != named[-1].text and all(token.cal != "hijri" for token in named)


def _earlier_or_later(tokens: Tokens) -> Tokens:
    """Earlier in a month: nothing new; later in it: in this year's."""
    return [Token("t", 0), tokens[1]] if tokens[0].value else tokens[1:]


def _winter(tokens: Tokens) -> Tokens:
    """A winter by both its years, as in "winter 2022-23"."""
    season, first, _, second = tokens
    follows = (first.value + 1 - second.value) % 100 == 0
    return [season, first] if season.value == 3 and follows else _UNKNOWN


def _this_if_early(tokens: Tokens) -> Tokens:
    """The beginning of "the year" is that of this one; its end may be that of any."""
    return [tokens[0], Token(_UNITS[tokens[1].kind], 0)] if tokens[0].value == 0 else _UNKNOWN


def _numbered(kind: str) -> Action:
    return lambda tokens: [Token(kind, _find(tokens, "o").value)]


def _middle(_: Tokens) -> Tokens:
    return [Token("a", 1)]


def _day_or_today(tokens: Tokens) -> Tokens:
    """Arabic has one word for "today" and "the day": before an ordinal of a month it is the latter, or says nothing new."""
    return tokens[1:] if tokens[0].text == "الیوم" and tokens[1].ordinal else tokens


def _ordinal(tokens: Tokens) -> Tokens:
    return [tokens[0]._replace(kind="o"), tokens[-1]]


_RULES: tuple[tuple[str, Action], ...] = (
    # Clock times and small words.
    (r"~?C?:(?:F(?!.*T))?z*|~?C[no](?:&[noHQ])?F?z+|~?C[no](?:&[noHQ])?(?![mFlL/(])|(?<![nN])Cz*", _drop),
    (r"^&+|[&/-]$|\(\)", _drop),
    # Months: with the word "month", or by two names.
    (r"lm|ml(?![AQH])", _keep("m")),
    (r"m[-/]?m(?!\))|m/?\(m\)|\(m[-/]?m\)", _same_month),
    (r"(?<=[no])F(?=m)|L(?=m)", _drop),
    (r"wr", _night_of_weekday),
    (r"ro(?=F?[mlO])", _day_or_today),
    (r"(?<=o)d(?=m)|(?<![nNojpAh])[dD](?=[wnorvm(Y])", _drop),
    (r"(?<=[wr])-(?=[no]m)", _drop),
    (r"g+[kly]c?|[kly]c?S", _back),
    # Years and calendars.
    (r"[yJ]Y", _keep("Y")),
    (r"Yc|cY|vc|cv", _with_calendar),
    (r"[yJ]c?n(?![dDkKlLyJmA])", _short_year),
    (r"(?<=[no]m)n(?![dDkKlLyJAm])", _short_year),
    (r"ic", _with_calendar),
    (r"(?<=s)n$", _short_year),
    (r"sY[-/][nY]", _winter),
    (r"Yy(?![Aptf])", _keep("Y")),
    (r"mc", _month_with_calendar),
    # Halves and quarters.
    (r"o-?Q|Qo", _numbered("q")),
    (r"o-?[hH]|[hH]o", _numbered("B")),
    (r"h", _middle),
    # Units relative to publication.
    (r"[nNj][dDkKlLyJ]A|A[nN][dDkKlLyJ]|A[dkly](?![YnmwoF])", _ago),
    (r"[nNj]zA", _nights_ago),
    (r"[klyQ]c?[ptf]|[ptf]c?[klyQ]|(?<![nNo])[kly]A", _relative),
    (r"[RO]c", _with_calendar),
    (r"^a[kly]$", _this_if_early),
    (r"^e[kly]$", lambda tokens: [Token(_UNITS[tokens[1].kind], 0)]),
    (r"[no]FO", _ordinal),
    # Earlier, later, and times of the day.
    (r"e(?=[tRWOrw])|(?<=[RWOrw])e", _drop),
    (r"z+w(?:[TI]z*|&z+)w(?!m|[no]m)", _night_between),
    (r"zw/?w(?!m|[no]m)", _night_of_two),
    (r"(?<![^w])[no]F?t$", _of_the_current),
    (r"(?<=^u)F?[wno](?=w$|[no]m$)", lambda tokens: [*_keep("wno")(tokens), Token("T")]),
    (r"z+(?:w[(-]?)?(?:[no](?:[-/&T][no])*m|m[no]|v)|z+w(?![-/]w)", _eve),
    (r"em", _earlier_or_later),
    (r"(?<=[RWOVrwmYvi:ptf])z+|z+(?=[rwdnomvRWO])|(?<=[(-])z+|z+(?=\))", _drop),
    (r"(?<=[noamwqBsRYO])F", _drop),
)
_COMPILED = tuple((re.compile(pattern), action) for pattern, action in _RULES)


def rewrite(tokens: Tokens) -> Tokens:
    """`tokens` after all rules, each applied until it finds nothing more to change."""
    kinds = shape(tokens)
    for pattern, action in _COMPILED:
        match = pattern.search(kinds)
        while match:
            start, end = match.span()
            changed = action(tokens[start:end])
            behind = start if changed != tokens[start:end] else end
            tokens = tokens[:start] + changed + tokens[end:]
            kinds = shape(tokens)
            match = pattern.search(kinds, behind)
    return tokens
