"""Quotes cut from documents, changed as language models change them, and found again; and quotes that are not there.

    python benchmarks/grounding.py [FOLDER ...] [--quotes N] [--seed N]

FOLDER holds .txt files; the project's seeds unless said. For each kind of change: `found` = a place is given, `right` = it has
IoU >= 0.9 with the true one, `exact` = its borders are the true ones, `ms` = CPU a quote with the index shared over a
document's quotes. LangExtract's aligner stands beside where it is installed (pip install langextract).
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import time
import unicodedata
from collections.abc import Callable
from pathlib import Path

from extractor.text.folding import fold_key
from extractor.text.grounding import TextIndex

WORD = re.compile(r"\S+")
HARAKAT = "\u064e\u064f\u0650\u0652\u0651"
EDGE = " .,،؛:;!?؟«»\"'()[]…\n"
PERSIAN_SUFFIXES = ("ها", "های", "ای", "اند")

Change = Callable[[str, random.Random], str]


def swap(table: dict[str, str]) -> Change:
    return lambda quote, dice: quote.translate(str.maketrans(table))


def half_spaces(quote: str, dice: random.Random) -> str:
    """Put back where they were lost, as a zero-width non-joiner: می‌رود, سه‌شنبه, کتاب‌ها; taken out where they stand."""
    if "\u200c" in quote:
        return quote.replace("\u200c", dice.choice(["", " "]))
    changed = re.sub(r"\b(ن?می)(?=\w{3})", "\\1\u200c", quote)
    changed = re.sub(r"(?<=\w{3})(های|ها|اند)\b", "\u200c\\1", changed)
    return re.sub(r"(سه|پنج|یک|رئیس|رییس|نخست)(?=شنبه|جمهور|وزیر)", "\\1\u200c", changed)


def harakat(quote: str, dice: random.Random) -> str:
    return "".join(
        c + dice.choice(HARAKAT) if "\u0621" <= c <= "\u06cc" and c.isalpha() and dice.random() < 0.4 else c
        for c in quote
    )


def no_harakat(quote: str, dice: random.Random) -> str:
    return "".join(c for c in quote if unicodedata.category(c) != "Mn")


def tatweel(quote: str, dice: random.Random) -> str:
    return re.sub(r"([بتسعفقلمنهيک])(?=[\u0627-\u064a])", lambda m: m[1] + ("ـ" if dice.random() < 0.4 else ""), quote)


def bidi(quote: str, dice: random.Random) -> str:
    return "\u202b" + quote.replace(" ", " \u200f", 1) + "\u202c"


def spaces(quote: str, dice: random.Random) -> str:
    return "".join(dice.choice([" ", "  ", "\n", "\u00a0", " \n "]) if c == " " else c for c in quote)


def presentation(quote: str, dice: random.Random) -> str:
    forms = {
        "ا": "\ufe8d",
        "ب": "\ufe8f",
        "س": "\ufeb1",
        "م": "\ufee1",
        "ن": "\ufee5",
        "و": "\ufeed",
        "ر": "\ufead",
        "د": "\ufea9",
    }
    return quote.replace("لا", "\ufefb").translate(str.maketrans(forms))


def elided(quote: str, dice: random.Random) -> str:
    words = quote.split(" ")
    cut = dice.randrange(3, len(words) - 4)
    return (
        " ".join(words[:cut]) + dice.choice([" ... ", " … ", " [...] "]) + " ".join(words[cut + dice.randrange(1, 3) :])
    )


def dropped(quote: str, dice: random.Random) -> str:
    words = quote.split(" ")
    inner = [
        n for n in range(1, len(words) - 1) if not re.search(r"\d", words[n]) and fold_key(words[n]) not in NEGATIONS
    ]
    if inner:
        del words[dice.choice(inner)]
    return " ".join(words)


def typo(quote: str, dice: random.Random) -> str:
    places = list(re.finditer(r"[^\W\d_]{4,}", quote))
    if not places:
        return quote
    word = dice.choice(places)
    at = dice.randrange(word.start(), word.end() - 1)
    kind = dice.choice(["swap", "drop", "double"])
    if kind == "swap":
        return quote[:at] + quote[at + 1] + quote[at] + quote[at + 2 :]
    return quote[:at] + quote[at + 1 :] if kind == "drop" else quote[:at] + quote[at] + quote[at:]


NEGATIONS = frozenset(
    fold_key(word)
    for word in [
        "نه",
        "نیست",
        "نمی",
        "لا",
        "لم",
        "لن",
        "ليس",
        "ما",
        "غير",
        "بدون",
        "not",
        "no",
        "never",
        "without",
        "не",
        "нет",
        "без",
    ]
)
SPELLING: dict[str, Change] = {
    "none": lambda quote, dice: quote,
    "half-spaces": half_spaces,
    "letter forms": lambda q, d: q.translate(
        str.maketrans("يكىیک", "یکیيك") if d.random() < 0.5 else str.maketrans("یک", "يك")
    ),
    "te marbuta, hamza": swap({"ة": "ه", "أ": "ا", "إ": "ا", "آ": "ا", "ؤ": "و", "ئ": "ی", "ۀ": "ه"}),
    "digits": lambda q, d: q.translate(
        str.maketrans("0123456789۰۱۲۳۴۵۶۷۸۹٠١٢٣٤٥٦٧٨٩", (s := d.choice(["0123456789", "۰۱۲۳۴۵۶۷۸۹", "٠١٢٣٤٥٦٧٨٩"])) * 3)
    ),
    "quotation marks": swap({"«": '"', "»": '"', '"': "“", "“": '"', "”": '"'}),
    "harakat added": harakat,
    "harakat lost": no_harakat,
    "tatweel": tatweel,
    "bidi marks": bidi,
    "spaces, line breaks": spaces,
    "NFD": lambda q, d: unicodedata.normalize("NFD", q),
    "presentation forms": presentation,
    "case": lambda q, d: q.upper() if d.random() < 0.5 else q.lower(),
    "full stop added": lambda q, d: q + ".",
    "trimmed": lambda q, d: " " + q.strip(EDGE) + " ",
}
OTHERS: dict[str, Change] = {"elided": elided, "a typo": typo, "a word dropped": dropped}


def cut(text: str, dice: random.Random, least: int = 4, most: int = 24) -> tuple[int, int]:
    """A quote of so many words, that begins and ends at words."""
    words = list(WORD.finditer(text))
    for _ in range(200):
        size = min(dice.randint(least, most), len(words) - 1)
        first = dice.randrange(0, len(words) - size)
        start, end = words[first].start(), words[first + size - 1].end()
        while start < end and text[start] in EDGE:
            start += 1
        while end > start and text[end - 1] in EDGE:
            end -= 1
        if "\n" not in text[start:end] and end - start > 12:
            return start, end
    raise SystemExit("the documents are too short to cut quotes from")


def absent(texts: list[str], number: int, dice: random.Random) -> str:
    """A true-looking quote that is not in the text: of another document, shuffled, joined of two halves, or with other words."""
    other = texts[dice.choice([n for n in range(len(texts)) if n != number])]
    kind = dice.choice(["other", "other", "shuffled", "halves", "swapped"])
    start, end = cut(texts[number], dice, 6, 18)
    words = texts[number][start:end].split()
    first, last = cut(other, dice, 6, 18)
    theirs = other[first:last].split()
    if kind == "other":
        return " ".join(theirs)
    if kind == "shuffled":
        dice.shuffle(words)
        return " ".join(words)
    if kind == "halves":
        return " ".join(words[: len(words) // 2] + theirs[len(theirs) // 2 :])
    for place in dice.sample(range(len(words)), max(2, len(words) // 3)):
        words[place] = dice.choice(theirs)
    return " ".join(words)


def iou(found: tuple[int, int], true: tuple[int, int]) -> float:
    shared = min(found[1], true[1]) - max(found[0], true[0])
    return max(0, shared) / (max(found[1], true[1]) - min(found[0], true[0]))


Locate = Callable[[str, str], tuple[int, int] | None]


def ours() -> Locate:
    cache: dict[str, TextIndex] = {}

    def locate(text: str, quote: str) -> tuple[int, int] | None:
        index = cache.setdefault(text, TextIndex(text))
        span = index.locate(quote)
        return (span.start, span.end) if span else None

    return locate


def langextract() -> Locate | None:
    try:
        from langextract.core.data import Extraction
        from langextract.resolver import Resolver
    except ImportError:
        return None
    resolver = Resolver()

    def locate(text: str, quote: str) -> tuple[int, int] | None:
        aligned = list(resolver.align([Extraction(extraction_class="q", extraction_text=quote)], text, 0, 0))
        interval = aligned[0].char_interval if aligned else None
        return (interval.start_pos, interval.end_pos) if interval else None

    return locate


def measure(
    locate: Locate, texts: list[str], kinds: dict[str, Change], quotes: int, seed: int
) -> dict[str, list[float]]:
    rows = {}
    for kind, change in kinds.items():
        dice = random.Random(f"{seed} {kind}")
        found = right = exact = total = 0
        spent = 0.0
        for _ in range(quotes):
            text = dice.choice(texts)
            start, end = cut(text, dice, 9 if kind == "elided" else 5 if kind in OTHERS else 3)
            quote = change(text[start:end], dice)
            if kind == "full stop added" and text[end : end + 1] == ".":
                quote = quote[:-1]
            before = time.process_time()
            place = locate(text, quote)
            spent += time.process_time() - before
            places = [m.start() for m in re.finditer(re.escape(text[start:end]), text)]
            total += 1
            if place is not None:
                found += 1
                best = max(iou(place, (at, at + end - start)) for at in places)
                right += best >= 0.9
                exact += best == 1.0
        rows[kind] = [found / total, right / total, exact / total, 1000 * spent / total]
    return rows


def measure_absent(locate: Locate, texts: list[str], quotes: int, seed: int) -> list[float]:
    dice = random.Random(f"{seed} absent")
    found, spent, total = 0, 0.0, 0
    while total < quotes:
        number = dice.randrange(len(texts))
        quote = absent(texts, number, dice)
        if fold_key(quote) in fold_key(texts[number]):
            continue
        before = time.process_time()
        found += locate(texts[number], quote) is not None
        spent += time.process_time() - before
        total += 1
    return [found / total, 0.0, 0.0, 1000 * spent / total]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path, default=[Path(__file__).parent.parent / "seeds"])
    parser.add_argument("--quotes", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    texts = [path.read_text(encoding="utf-8") for folder in args.folders for path in sorted(folder.glob("*.txt"))]
    texts = [text for text in texts if len(text) > 200 and "README" not in text[:20]]
    ours()(texts[0], "warm up")
    for name, locate in (("extractor", ours()), ("LangExtract", langextract())):
        if locate is None:
            print("LangExtract is not installed: its rows are left out.", file=sys.stderr)
            continue
        quotes = args.quotes if name == "extractor" else min(args.quotes, 60)
        print(f"{name}: {len(texts)} documents, {quotes} quotes a kind, seed {args.seed}")
        print(f"  {'change':<22}{'found':>8}{'right':>8}{'exact':>8}{'ms':>8}")
        rows = measure(locate, texts, SPELLING | OTHERS, quotes, args.seed)
        rows["not in the text"] = measure_absent(locate, texts, quotes, args.seed)
        for kind, (found, right, exact, spent) in rows.items():
            shown = f"{right:8.3f}{exact:8.3f}" if kind != "not in the text" else f"{'-':>8}{'-':>8}"
            print(f"  {kind:<22}{found:8.3f}{shown}{spent:8.2f}")


if __name__ == "__main__":
    main()
