"""A text is never cut inside what a reader sees as one character."""

import pytest
import regex

from extractor.text.graphemes import cluster_end, cluster_start

TEXTS = {
    "nothing": "",
    "letters and marks of punctuation": "«سلام» – a “b” 5 + 3 = $8 <x>",
    "half-spaces": "کتاب‌ها و می‌رود‌.",
    "harakat": "مُحَمَّدٌ\n ً",
    "decomposed": "e\u0301a\u0308\u0323 i",
    "line ends": "a\r\nb\rc\n\r\n\n\u0301d",
    "emoji and flags": "👩‍👩‍👧 👍🏽 🇮🇷🇺🇸🇫🇷 ↔\ufe0f",
    "other scripts": "กำ हिन्दी 각각 \u0600۱۲ 가",
    "no sure border near": "ا\u200c" + "\u0301" * 30 + "ب",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_cut_moves_to_the_border_of_its_cluster(text: str) -> None:
    """Back for a start, on for an end, and not at all where there is a border: as Unicode counts them over the whole text."""
    borders = [0, *(match.end() for match in regex.finditer(r"\X", text))]
    places = range(len(text) + 1)
    assert [cluster_start(text, at) for at in places] == [max(b for b in borders if b <= at) for at in places]
    assert [cluster_end(text, at) for at in places] == [min(b for b in borders if b >= at) for at in places]
