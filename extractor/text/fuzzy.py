"""Which differences between a quote and a stretch of text are slips of the pen, and which are another statement.

A slip is a typo in a word, or a word left out. It is never a changed number, a lost or added negation, or another
word. The budget grows with the length: none below three words.
"""

from __future__ import annotations

import re

from extractor.text.folding import fold_key

MOST_DROPPED = 12
NEGATIONS = frozenset(
    "نه نیست نبود نشد نمی لا لم لن لیس لیست ما غیر بدون دون not no never none without cannot nor не нет без".split()  # noqa: SIM905 (a list would hide the words)
)


def _folded(*lines: str) -> frozenset[str]:
    return frozenset(fold_key(word) for line in lines for word in line.split())


# Left out, these turn a statement round as a negation does.
TURNING = _folded(
    "didnt doesnt dont wont wasnt werent isnt arent cant couldnt wouldnt shouldnt havent hasnt hadnt",
    "refused refuses denied denies declined failed",
    "نخواهد نخواهند نباید نمیتواند نمیتوانند نکرد نکردند نکرده نداشت ندارد نیستند نبودند تکذیب رد",
    "نفى نفت رفض رفضت",
)
# One letter makes another number of them.
NUMBERS = _folded(
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen",
    "nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million billion trillion",
    "first second third fourth fifth sixth seventh eighth ninth tenth",
    "یک دو سه چهار پنج شش هفت هشت نه ده یازده دوازده سیزده چهارده پانزده شانزده هفده هجده نوزده بیست سی چهل پنجاه شصت",
    "هفتاد هشتاد نود صد دویست سیصد چهارصد پانصد ششصد هفتصد هشتصد نهصد هزار میلیون میلیارد",
    "واحد اثنان اثنين ثلاثة أربعة خمسة ستة سبعة ثمانية تسعة عشرة ثلاث أربع خمس ست سبع ثمان ثماني تسع عشر عشرون عشرين",
    "ثلاثون ثلاثين أربعون أربعين خمسون خمسين ستون ستين سبعون سبعين ثمانون ثمانين تسعون تسعين مئة مائة ألف آلاف مليون مليار",
)
# So near to one another that a letter makes another country.
COUNTRIES = _folded("iran iraq niger nigeria austria australia mali malawi slovakia slovenia")
UN = ("un", "in", "im", "ir", "il", "dis", "non", "نا", "بی", "غیر", "لا")
DIGIT = re.compile(r"\d")


def best_window(letters: str, window: str) -> tuple[int, int] | None:
    """The stretch of the window (half-open) with the fewest edits to the letters; None where these are too many."""
    most = max(1, len(letters) // 8) + MOST_DROPPED
    end, distance = _end_of_best(letters, window)
    if distance > most:
        return None
    back, _ = _end_of_best(letters[::-1], window[:end][::-1])
    return end - back, end


def _end_of_best(pattern: str, text: str) -> tuple[int, int]:
    """Where the best approximate occurrence ends, and its edits: Myers' bit-parallel search (1999), one big integer wide."""
    size = len(pattern)
    peq: dict[str, int] = {}
    for place, char in enumerate(pattern):
        peq[char] = peq.get(char, 0) | (1 << place)
    full, high = (1 << size) - 1, 1 << (size - 1)
    plus, minus, score = full, 0, size
    best, best_end = size, 0
    for place, char in enumerate(text):
        equal = peq.get(char, 0)
        vertical = equal | minus
        horizontal = (((equal & plus) + plus) ^ plus) | equal
        up = minus | ~(horizontal | plus) & full
        down = plus & horizontal
        if up & high:
            score += 1
        elif down & high:
            score -= 1
        up = (up << 1) & full
        down = (down << 1) & full
        plus = down | ~(vertical | up) & full
        minus = up & vertical
        if score < best:
            best, best_end = score, place + 1
    return best_end, best


def is_slip(quote: list[str], text: list[str]) -> bool:
    """Whether the words of the quote are those of the text but for typos and left-out words, within the budget."""
    pairs = _align(quote, text)
    if pairs is None:
        return False
    typos, dropped = pairs
    budget = len(quote) // 10 + 1
    if (
        len(dropped) > max(1, len(quote) // 6)
        or typos > budget
        or (typos and dropped and typos + len(dropped) > budget + 1)
    ):
        return False
    if any(DIGIT.search(word) or word in NEGATIONS or word in TURNING for word in dropped):
        return False
    return len(quote) >= 4 or not dropped


def _align(quote: list[str], text: list[str]) -> tuple[int, list[str]] | None:
    """How many words have a typo, and which words of the text the quote leaves out; None where a word is another."""
    from rapidfuzz.distance import Levenshtein

    typos, dropped = 0, []
    for op in Levenshtein.opcodes(quote, text):
        mine, theirs = quote[op.src_start : op.src_end], text[op.dest_start : op.dest_end]
        if op.tag == "equal":
            continue
        if not mine:
            dropped += theirs
        elif _joined(mine, theirs):
            continue
        else:
            found = _replaced(mine, theirs)
            if found is None:
                return None
            typos += found[0]
            dropped += found[1]
    return typos, dropped


def _joined(mine: list[str], theirs: list[str]) -> bool:
    """The same letters, with other spaces between them."""
    return "".join(mine) == "".join(theirs)


def _replaced(mine: list[str], theirs: list[str]) -> tuple[int, list[str]] | None:
    """A run of words that differ: each of mine is a typo of one of theirs, in order, or both runs are one but for a typo."""
    if is_typo("".join(mine), "".join(theirs)):
        return 1, []
    typos, dropped, at = 0, [], 0
    for word in mine:
        while at < len(theirs) and word != theirs[at] and not is_typo(word, theirs[at]):
            dropped.append(theirs[at])
            at += 1
        if at == len(theirs):
            return None
        typos += word != theirs[at]
        at += 1
    return typos, dropped + theirs[at:]


def is_typo(word: str, other: str) -> bool:
    """One letter wrong, lost, doubled or swapped with its neighbour; two in a word of nine letters or more. Never in a number."""
    from rapidfuzz.distance import OSA

    if DIGIT.search(word) or DIGIT.search(other) or word in NEGATIONS or other in NEGATIONS or _negates(word, other):
        return False
    if any(word in kind and other in kind for kind in (NUMBERS, COUNTRIES)):
        return False
    shorter = min(len(word), len(other))
    most = 0 if shorter < 3 else 1 if shorter < 9 else 2
    return OSA.distance(word, other, score_cutoff=most) <= most


def _negates(word: str, other: str) -> bool:
    """One is the other's negation: نشد / شد, can't / can, unconfirmed / confirmed."""
    shorter, longer = sorted((word, other), key=len)
    if len(shorter) > 3 and any(longer == prefix + shorter for prefix in UN):
        return True
    return longer == "ن" + shorter or (longer.endswith("nt") and shorter in (longer[:-1], longer[:-2]))
