"""The language of a text is told by its letters and commonest words."""

from pathlib import Path

import pytest

from extractor.text.language import detect_language

TEXTS = {
    "وزیر خارجه ایران گفت که این توافق پذیرفتنی نیست": "fa",
    "قال وزير الخارجية إن الاتفاق غير مقبول": "ar",
    "The minister said that the agreement was not acceptable": "en",
    "Министр заявил, что соглашение неприемлемо": "ru",
    "Міністр заявив, що угода є неприйнятною": "uk",
    "وەزیری دەرەوە ڕایگەیاند کە ڕێککەوتنەکە قبووڵ ناکرێت": "ckb",
    "Der Minister sagte, dass das Abkommen nicht mit der Regierung vereinbart ist": "de",
    "123 456 !!": None,
    "": None,
}


@pytest.mark.parametrize(("text", "code"), TEXTS.items(), ids=range(len(TEXTS)))
def test_short_texts(text: str, code: str | None) -> None:
    """A sentence is enough; no letters, no language."""
    assert detect_language(text) == code


def test_the_seeds() -> None:
    """Every seed in its own."""
    seeds = Path(__file__).parent.parent / "seeds"
    for path in seeds.glob("*.txt"):
        expected = {"prs": "fa"}.get(path.stem.split("-")[0], path.stem.split("-")[0])
        assert detect_language(path.read_text(encoding="utf-8")) == expected, path.name
