"""Long texts are cut at sentence borders, nothing is lost, and offsets stay those of the document."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.text.chunking import Chunk, chunk_text, halve, lead, sentences

SENTENCES = {
    "abbreviations and initials": (
        "Dr. A. Karimi met Gen. Lee at 3.5 km. He left.",
        ["Dr. A. Karimi met Gen. Lee at 3.5 km. ", "He left."],
    ),
    "a quotation closes after the stop": ("او گفت: «نمی‌آیم.» و رفت. تمام.", ["او گفت: «نمی‌آیم.» ", "و رفت. ", "تمام."]),
    "arabic question mark": ("هل وصل الوفد؟ لا.", ["هل وصل الوفد؟ ", "لا."]),
    "urdu full stop and ellipsis": ("آمد۔ رفت… ماند", ["آمد۔ ", "رفت… ", "ماند"]),
    "line breaks end a sentence": ("Headline\n\nFirst line\nsecond", ["Headline\n\n", "First line\n", "second"]),
    "a small letter goes on": ("It rose 5 pct. in May. Then fell.", ["It rose 5 pct. in May. ", "Then fell."]),
    "repeated marks": ("What?! No!!! Yes.", ["What?! ", "No!!! ", "Yes."]),
    "nothing but spaces": ("   ", ["   "]),
    "empty": ("", []),
    "no mark at all": ("words without an end", ["words without an end"]),
}


@pytest.mark.parametrize(("text", "expected"), SENTENCES.values(), ids=SENTENCES)
def test_sentences_end_where_a_reader_would_say(text: str, expected: list[str]) -> None:
    """Marks of both scripts end a sentence; abbreviations, initials and decimal points do not."""
    assert [text[start:end] for start, end in sentences(text)] == expected


@given(st.text(alphabet=st.sampled_from("ab .!؟۔\n«»م‌é🙂"), max_size=400))
def test_sentences_cover_the_text_without_gaps(text: str) -> None:
    """The pieces, put together, are the text."""
    assert "".join(text[start:end] for start, end in sentences(text)) == text


@given(st.text(alphabet=st.sampled_from("ab .؟\nم‌́"), max_size=3000), st.integers(200, 900), st.integers(0, 300))
def test_chunks_cover_the_text_and_keep_their_size(text: str, size: int, overlap: int) -> None:
    """Every character stands in a chunk, no chunk is too long, and each begins at or before the end of the last."""
    chunks = chunk_text(text, size=size, overlap=overlap)
    assert (chunks[0].start, chunks[-1].end) == (0, len(text))
    assert all(chunk.end - chunk.start <= size for chunk in chunks)
    assert all(a.start < b.start <= a.end < b.end for a, b in zip(chunks, chunks[1:], strict=False))
    assert [chunk.number for chunk in chunks] == list(range(chunks[0].count))


def report(characters: int) -> str:
    paragraph = " ".join(f"وزیر شماره {n} در نشست {n} سخن گفت و رفت." for n in range(9)) + "\n"
    return (paragraph * (characters // len(paragraph) + 1))[:characters]


@pytest.mark.parametrize(("characters", "calls"), [(7_999, 1), (8_001, 2), (30_000, 4), (100_000, 14)])
def test_a_document_has_the_number_of_chunks_it_should_have(characters: int, calls: int) -> None:
    """As few chunks as fit: (characters - overlap) / (size - overlap), rounded up."""
    assert len(chunk_text(report(characters), size=8000, overlap=400)) == calls


def test_an_overlap_is_made_of_whole_sentences() -> None:
    """A chunk begins where a sentence begins, inside the one before it."""
    text = report(20_000)
    starts = {start for start, _ in sentences(text)}
    chunks = chunk_text(text, size=8000, overlap=400)
    assert all(chunk.start in starts for chunk in chunks)
    assert all(0 < a.end - b.start <= 400 for a, b in zip(chunks, chunks[1:], strict=False))


def test_a_text_without_borders_is_cut_all_the_same() -> None:
    """100,000 equal characters end in chunks of the size."""
    chunks = chunk_text("a" * 100_000, size=8000, overlap=400)
    assert max(chunk.end - chunk.start for chunk in chunks) <= 8000
    assert chunks[-1].end == 100_000


def test_a_chunk_is_halved_at_the_sentence_border_nearest_its_middle() -> None:
    """The halves meet at a sentence's end and cover the chunk."""
    text = report(4000)
    first, second = halve(text, chunk_text(text)[0]) or pytest.fail("not halved")
    assert (first.start, first.end, second.end) == (0, second.start, 4000)
    assert first.end in {end for _, end in sentences(text)}
    assert abs(first.end - 2000) < 100


def test_a_short_chunk_is_not_halved() -> None:
    """Below 400 characters there is nothing to gain."""
    assert halve("a" * 399, Chunk(0, 399, 0, 1, 399, "")) is None


def test_the_lead_is_the_first_paragraph_cut_at_a_word() -> None:
    """Empty lines are passed over; a long paragraph ends in an ellipsis."""
    assert lead("\n\n  Headline  \nbody") == "Headline"
    assert lead("word " * 100).endswith("word …")
    assert lead("") == ""
