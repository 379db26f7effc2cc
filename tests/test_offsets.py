"""Offsets convert to the units of editors and browsers, and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.text.offsets import Offsets


@given(st.text(max_size=60), st.data())
def test_converted_offsets_cut_the_same_text(text: str, data: st.DataObject) -> None:
    """Cut from the encoded text, the converted offsets give the encoded piece; converted back, they are the first ones."""
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    offsets, piece = Offsets(text), text[start:end]
    low, high = offsets.to_utf8(start, end)
    assert text.encode("utf-8", "surrogatepass")[low:high] == piece.encode("utf-8", "surrogatepass")
    assert offsets.from_utf8(low, high) == (start, end)
    low, high = offsets.to_utf16(start, end)
    assert text.encode("utf-16-le", "surrogatepass")[2 * low : 2 * high] == piece.encode("utf-16-le", "surrogatepass")
    assert offsets.from_utf16(low, high) == (start, end)


def test_an_offset_inside_a_character_is_refused() -> None:
    """Half an emoji is no place."""
    with pytest.raises(ValueError, match="between two characters"):
        Offsets("a🙂b").from_utf16(0, 2)
