"""Spelling is folded away, and every folded character knows where it stood."""

import unicodedata
from bisect import bisect_left

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.text.folding import fold, fold_key

EQUAL = {
    "half-spaces": ("می‌گوید", "میگوید", "می گوید"),
    "Arabic and Persian letters": ("علي كريمى", "علی کریمی"),
    "te marbuta": ("وزارة", "وزاره"),
    "hamza": ("رئيس مسؤول أمن", "رییس مسوول امن"),
    "presentation forms and ligatures": ("\ufefb \ufe8d\ufef7", "لا الا"),
    "digits of three scripts": ("۱۴۰۲ ١٤٠٢", "1402 1402"),
    "quotation marks": ("«نقل»", '"نقل"', "“نقل”", "نقل"),
    "harakat and tatweel": ("مُحَمَّـد", "محمد"),
    "bidi marks and soft hyphens": ("\u202babc\u202c\u00ad", "abc"),
    "spaces and line breaks": ("a \u00a0\n b", "ab"),
    "composed and decomposed": (unicodedata.normalize("NFC", "é آ"), unicodedata.normalize("NFD", "é آ")),
    "case": ("Straße İSTANBUL", "STRASSE i̇stanbul"),
    "dashes": ("a–b", "a-b", "a—b"),
    "Cyrillic yo": ("Артём", "Артем"),
    "full width": ("ＡＢ１", "AB1"),
}


@pytest.mark.parametrize("forms", EQUAL.values(), ids=EQUAL)
def test_texts_that_differ_in_spelling_alone_fold_alike(forms: tuple[str, ...]) -> None:
    """One key for all ways of writing the same."""
    assert len({fold_key(form) for form in forms}) == 1


@pytest.mark.parametrize(("a", "b"), [("12", "15"), ("کرد", "کرده"), ("نه", "نا"), ("Iran", "Iraq")])
def test_other_words_fold_otherwise(a: str, b: str) -> None:
    """Folding is about spelling, not about meaning."""
    assert fold_key(a) != fold_key(b)


def test_folding_twice_is_folding_once() -> None:
    """On this `fold` relies: it replaces one character after another, and what was put in is not replaced again."""
    folds = {char: fold_key(char) for char in map(chr, range(0x30000))}
    assert {char: folded for char, folded in folds.items() if fold_key(folded) != folded or " " in folded} == {}


MANY_LETTERS = "".join(
    map(chr, range(0x390, 0x530))
)  # Greek and Cyrillic: more different letters than are replaced one by one


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "a",
        "  a  b ",
        "a…b ﷺ c… ½",
        "…",
        "لا ﻻ «می‌رود» ۱۴۰۲",
        "A\r\nB\u200f É e\u0301",
        "한국어 각",
        MANY_LETTERS,
    ],
)
def test_the_way_back_is_that_of_each_character(text: str) -> None:
    """As if each character were folded by itself, there and back; a border inside what one character became is told."""
    origins = [place for place, char in enumerate(text) for _ in fold_key(char)]
    folded = fold(text)
    numbers = range(len(origins))
    assert folded.text == "".join(map(fold_key, text))
    assert [folded.origin(number) for number in numbers] == origins
    assert [folded.at(place) for place in range(len(text) + 1)] == [
        bisect_left(origins, place) for place in range(len(text) + 1)
    ]
    assert [folded.cuts(number) for number in numbers] == [n > 0 and origins[n] == origins[n - 1] for n in numbers]


@given(st.text(max_size=200))
def test_the_way_back_is_in_order_and_in_bounds(text: str) -> None:
    """The places rise, none lies outside, and each folded character comes from the one that stands there."""
    folded = fold(text)
    places = [folded.origin(number) for number in range(len(folded.text))]
    assert len(places) == len(folded.text)
    assert places == sorted(places)
    assert all(0 <= place < len(text) for place in places)
    assert all(char in fold_key(text[place]) for char, place in zip(folded.text, places, strict=True))
