"""A quote is found where it stands, however it is spelled; what is not there is not found."""

import random
import unicodedata
from pathlib import Path

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from extractor.models import Span
from extractor.text.grounding import TextIndex, locate_quote

TEXT = (
    "به گزارش خبرگزاری کوهسار رئیسجمهوری بلاروس سهشنبه ۲۵ مهرماه به «محمد راستین» معاون اول که به مینسک سفر کرده نسبت به "
    "اقدامات غرب هشدار داد. وی تأکید کرد: «غرب در حال آماده شدن است». در این رویداد 12 نفر کشته نشدند. Café de Paris reopened."
)
FOUND = {
    "as it stands": ("سفر کرده نسبت به اقدامات", "exact", "سفر کرده نسبت به اقدامات"),
    "half-spaces put back": ("رئیس‌جمهوری بلاروس سه‌شنبه", "folded", "رئیسجمهوری بلاروس سهشنبه"),
    "half-spaces as spaces": ("رئیس جمهوری بلاروس", "folded", "رئیسجمهوری بلاروس"),
    "Arabic letters": ("رئيسجمهوري بلاروس", "folded", "رئیسجمهوری بلاروس"),
    "other digits": ("سهشنبه 25 مهرماه", "folded", "سهشنبه ۲۵ مهرماه"),
    "other quotation marks at the edge": ('"محمد راستین" معاون', "folded", "«محمد راستین» معاون"),
    "a quotation the quote did not have": ("محمد راستین", "exact", "محمد راستین"),
    "a full stop added inside a quotation": ("غرب در حال آماده شدن است.", "exact", "غرب در حال آماده شدن است"),
    "decomposed": (unicodedata.normalize("NFD", "Café de Paris"), "folded", "Café de Paris"),
    "case": ("CAFÉ DE PARIS", "folded", "Café de Paris"),
    "white space around": ("  سفر کرده نسبت\n", "exact", "سفر کرده نسبت"),
    "an ellipsis at the end": ("نسبت به اقدامات غرب…", "exact", "نسبت به اقدامات غرب"),
    "a typo": ("معاون اول که به منسک سفر کرده", "fuzzy", "معاون اول که به مینسک سفر کرده"),
    "a dropped word": ("معاون اول که مینسک سفر کرده نسبت", "fuzzy", "معاون اول که به مینسک سفر کرده نسبت"),
}
ABSENT = {
    "another sentence": "رئیس‌جمهوری روسیه دیروز در مسکو سخن گفت",
    "a changed number": "در این رویداد 15 نفر کشته نشدند",
    "a lost negation": "در این رویداد 12 نفر کشته شدند",
    "another word": "معاون دوم که به مینسک سفر کرده",
    "a typo in two words alone": "سقر کرده",
    "part of a word": "بلارو",
    "words in another order": "کرده سفر مینسک به که اول معاون",
    "two halves from two places": "به گزارش خبرگزاری کوهسار غرب در حال آماده شدن",
    "short common words": "به که در",
    "nothing": "",
    "marks alone": "…«».",
    "longer than the text": TEXT * 3,
}


@pytest.mark.parametrize(("quote", "how", "place"), FOUND.values(), ids=FOUND)
def test_a_quote_is_found_where_it_stands(quote: str, how: str, place: str) -> None:
    """Whatever the spelling, the span cuts the original words, and says how it was found."""
    span = locate_quote(TEXT, quote)
    assert span is not None
    assert (TEXT[span.start : span.end], span.how) == (place, how)


@pytest.mark.parametrize("quote", ABSENT.values(), ids=ABSENT)
def test_what_is_not_there_is_not_found(quote: str) -> None:
    """A place is proof; there is none for what the text does not say."""
    assert locate_quote(TEXT, quote) is None


@pytest.mark.parametrize("mark", ["...", "…", "[...]", "(…)"])
def test_an_elided_quote_is_found_with_its_parts(mark: str) -> None:
    """The span embraces the pieces; the parts say where each stands."""
    span = locate_quote(TEXT, f"رئیس‌جمهوری بلاروس {mark} هشدار داد")
    assert span is not None
    assert span.how == "elided"
    assert [TEXT[a:b] for a, b in span.parts] == ["رئیسجمهوری بلاروس", "هشدار داد"]
    assert (span.start, span.end) == (span.parts[0][0], span.parts[-1][1])


def test_pieces_that_are_far_apart_or_in_another_order_are_no_quote() -> None:
    """An ellipsis leaves words out; it does not join what has nothing to do with one another."""
    assert locate_quote(TEXT, "هشدار داد ... رئیسجمهوری بلاروس") is None
    far = "the first words of it " + "filler words " * 60 + "and the last words"
    assert locate_quote(far, "the first words ... the last words") is None


NAMES = {
    "behind the article and a preposition": ("قال وزير للعراق إن", "عراق", "عراق"),
    "with the article, behind lam": ("بيان للحكومة السودانية", "الحكومة السودانية", "حكومة السودانية"),
    "behind a conjunction": ("وإيران وروسيا", "روسيا", "روسيا"),
    "glued to the next word": ("صرح وزيرالخارجية", "وزير", "وزير"),
    "the glued word itself": ("صرح وزيرالخارجية", "الخارجية", "الخارجية"),
    "with a plural suffix": ("سندیکاهای کارگران", "سندیکا", "سندیکا"),
    "before an English genitive": ("Iran's Guards", "Iran", "Iran"),
}


@pytest.mark.parametrize(("text", "name", "place"), NAMES.values(), ids=NAMES)
def test_names_are_found_in_glued_words(text: str, name: str, place: str) -> None:
    """Proclitics, articles and suffixes belong to the word, not to the name."""
    span = TextIndex(text).locate_name(name)
    assert span is not None
    assert text[span.start : span.end] == place


@pytest.mark.parametrize(
    ("text", "name"), [("ایران و ایرلند", "ایر"), ("international", "nation"), ("کرمانشاه", "کرمان"), ("", "x")]
)
def test_a_part_of_a_word_is_no_name(text: str, name: str) -> None:
    """A name is a word, or what is left of one without its clitics."""
    assert TextIndex(text).locate_name(name) is None


def test_of_several_places_the_nearest_is_taken() -> None:
    """`near` may be an offset, a pair or a span; without it the first place is taken; `within` comes before all."""
    text = "he left. " * 5
    index = TextIndex(text)
    assert [index.locate("he left", near=near).start for near in (20, (36, 40), Span(start=27, end=30))] == [18, 36, 27]  # type: ignore[union-attr]
    assert index.locate("he left") == Span(start=0, end=7)
    assert index.locate_name("left", within=Span(start=18, end=26)) == Span(start=21, end=25)


EDGES = {
    "harakat of the last letter": ("قال مُحَمَّدٌ اليوم", "محمد", "مُحَمَّدٌ"),
    "a family of emoji": ("say 👩‍👩‍👧 now", "say 👩‍👩‍👧", "say 👩‍👩‍👧"),
    "no bidi mark is taken in": ("x \u202bسفر کرده\u202c y", "سفر کرده", "سفر کرده"),
    "a trailing hamza": ("مساء الثلاثاء في", "مساء  الثلاثا", "مساء الثلاثاء"),
}


@pytest.mark.parametrize(("text", "quote", "place"), EDGES.values(), ids=EDGES)
def test_edges_are_those_of_whole_characters(text: str, quote: str, place: str) -> None:
    """Marks belong to their letter; what the quote does not have is left outside."""
    span = locate_quote(text, quote)
    assert span is not None
    assert text[span.start : span.end] == place


PERTURBATIONS = [
    lambda s: s,
    lambda s: s.replace("\u200c", ""),
    lambda s: s.replace("\u200c", " "),
    lambda s: s.translate(str.maketrans("يكی", "یکي")),
    lambda s: s.translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")),
    lambda s: s.replace("«", '"').replace("»", '"'),
    lambda s: s.replace(" ", "  \n"),
    lambda s: unicodedata.normalize("NFD", s),
    lambda s: "\u202b" + s + "\u202c",
    lambda s: s.upper(),
    lambda s: " " + s + " ",
]
SEEDS = [path.read_text(encoding="utf-8") for path in sorted((Path(__file__).parent.parent / "seeds").glob("*.txt"))]


@settings(max_examples=150, deadline=None)
@given(
    st.integers(0, len(SEEDS) - 1),
    st.integers(0, 10**6),
    st.integers(3, 25),
    st.sampled_from(range(len(PERTURBATIONS))),
)
def test_any_change_of_spelling_is_found(number: int, seed: int, size: int, change: int) -> None:
    """A stretch of words of a real document, spelled otherwise, is found at its place."""
    text, dice = SEEDS[number], random.Random(seed)
    words = list(regex.finditer(r"[\w\u200c]+", text))
    first = dice.randrange(len(words) - size)
    start, end = words[first].start(), words[first + size - 1].end()
    span = locate_quote(text, PERTURBATIONS[change](text[start:end]), near=start)
    assert span is not None
    assert abs(span.start - start) <= 1 and abs(span.end - end) <= 2


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=80), st.text(max_size=30))
def test_no_text_makes_it_fail(text: str, quote: str) -> None:
    """Whatever comes, the answer is a place inside the text, between two characters, or None."""
    index = TextIndex(text)
    borders = {0, *(match.end() for match in regex.finditer(r"\X", text))}
    for span in (index.locate(quote), index.locate_name(quote), index.locate(text[3:40])):
        if span is not None:
            assert 0 <= span.start < span.end <= len(text)
            assert span.end in borders


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        ("a" * 100_000, "a" * 100_000),
        ("a" * 100_000, "a a b a a"),
        ("ab " * 40_000, "ab ab ac ab ab ad"),
        ("x", "y" * 500_000),
    ],
    ids=["equal characters", "words of one letter", "one word for ever", "a quote longer than the text"],
)
def test_pathological_input_ends(text: str, quote: str) -> None:
    """Nothing takes time that grows faster than the text."""
    assert locate_quote(text, quote) is None or text == quote


CUT_SHORT = [
    ("The blast killed at least 100 people in Mersa.", "killed at least 10"),
    ("It happened on 15 November 2023.", "5 November 2023"),
    ("The deal is worth 53 million dollars.", "3 million dollars"),
    ("ارزش قرارداد ۱۵ میلیون دلار است", "۵ میلیون دلار"),
    ("او نخواهد رفت به تهران", "خواهد رفت به تهران"),
    ("او نمی‌رود به تهران", "می‌رود به تهران"),
    ("مثلا اتفاق على وقف النار", "لا اتفاق على وقف النار"),
    ("an unlawful killing of protesters.", "lawful killing of protesters"),
    ("The government wasn't informed.", "The government was"),
    ("The minister of Nigeria met them", "The minister of Niger"),
]


ANOTHER = [
    ("در این حمله هشت نفر از مردم کشته شدند", "در این حمله هفت نفر از مردم کشته شدند"),
    ("The raid killed eighty people in the town", "The raid killed eight people in the town"),
    ("a deal worth three billion dollars was signed", "a deal worth three million dollars was signed"),
    ("The president of Iran met them on Monday", "The president of Iraq met them on Monday"),
    ("The court found the law unconstitutional on Monday", "The court found the law constitutional on Monday"),
    ("The minister didn't meet the envoy in Mersa", "The minister meet the envoy in Mersa"),
    ("The minister refused to meet the envoy in Mersa", "The minister to meet the envoy in Mersa"),
    ("وزیر خارجه به تهران نخواهد رفت و نمی‌ماند", "وزیر خارجه به تهران رفت و نمی‌ماند"),
]


@pytest.mark.parametrize(("text", "quote"), [*CUT_SHORT, *ANOTHER])
def test_no_quote_says_another_thing_than_the_text(text: str, quote: str) -> None:
    """Cut inside a number or a word, or with another number, country or the opposite, though a letter is all."""
    assert locate_quote(text, quote) is None


def test_spelt_otherwise_but_here_goes_before_letter_for_letter_elsewhere() -> None:
    """A time belongs to the sentence that tells of it."""
    text = "وزیر روز سه‌شنبه سخن گفت. " + "شورا درباره آب سخن گفت. " * 60 + "ارتش روز سه شنبه به مرسا حمله کرد."
    index = TextIndex(text)
    evidence = index.locate("ارتش روز سه شنبه به مرسا حمله کرد")
    found = index.locate("روز سه‌شنبه", near=evidence)
    assert evidence and found and evidence.start <= found.start < found.end <= evidence.end


def test_what_stands_in_very_many_places_is_found_where_it_is_meant() -> None:
    """The nearest one in a long text, not one of the first."""
    text = "".join(f"The council met envoy number {i} on Tuesday and said so. " for i in range(400))
    text += "On Tuesday the president met the king in Mersa and said so."
    index = TextIndex(text)
    evidence = index.locate("the president met the king in Mersa")
    assert evidence
    time, trigger = index.locate("Tuesday", near=evidence), index.locate_name("met", near=evidence, within=evidence)
    assert time and evidence.start - time.end < 5
    assert trigger and evidence.start < trigger.start < evidence.end
    assert len(index.locate_all_names("Tuesday")) == 401


@pytest.mark.parametrize("name", ["Togo", "US", "WHO", "Iran"])
def test_a_latin_name_is_no_run_of_other_words(name: str) -> None:
    """`to go`, `us`, `who` and `I ran` are no countries."""
    assert TextIndex("They decided to go home. They told us who did it, and i ran.").locate_name(name) is None
