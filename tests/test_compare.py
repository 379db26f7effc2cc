"""Prompt versions are compared from recordings alone; what cannot be compared is told."""

import contextlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from small_gold import EVENTS, TEXT, answer, command, event, write_gold

from extractor import errors, extract
from extractor.evaluation.compare import Comparison, Gain, compare_prompts
from extractor.evaluation.render import (
    comparison_markdown,
)
from extractor.evaluation.scores import interval
from extractor.llm.cassette import CassetteRecorder
from extractor.llm.scripted import ScriptedLLM
from extractor.models import Document


def test_prompt_versions_are_compared_from_recordings_alone(root: Path, tmp_path: Path) -> None:
    """The same prompt against itself gains nothing."""
    text = (root / "seeds/en-01-bridge-explosion.txt").read_text(encoding="utf-8")
    (tmp_path / "en-01.txt").write_text(text, encoding="utf-8")
    made = {
        "document": "en-01",
        "entities": [{"id": 1, "type": "country", "name": "Russia"}],
        "events": [],
        "relations": [],
    }
    (tmp_path / "en-01.gold.json").write_text(json.dumps(made), encoding="utf-8")
    comparison = compare_prompts(tmp_path, ["plover@1.0.0", "plover@1.0"], root / "cassettes", tmp_path)
    assert comparison.documents == 1
    assert comparison.versions[1].gains["entities"].change == 0.0
    assert comparison.versions[0].answer_characters > 1000
    assert comparison.notes == ()
    assert comparison.versions[1].gains["entities"].text() == "(0.000)"  # one document has no interval
    assert Gain(-0.0004, (-0.004, 0.02)).text() == "(0.000, 0.00 to +0.02)" and Gain(None).text() == ""


def test_documents_that_are_not_compared_are_told(root: Path, tmp_path: Path) -> None:
    """Not recorded, unreadable, without gold, without a document: each with its reason, under the table too."""
    for name in ("en-01-bridge-explosion", "en-02-belarus-prisoners"):
        for ending in (".txt", ".gold.json"):
            (tmp_path / f"{name}{ending}").write_bytes((root / "seeds" / f"{name}{ending}").read_bytes())
    index = {item["id"]: item for item in json.loads((root / "seeds/index.json").read_text(encoding="utf-8"))}
    (tmp_path / "index.json").write_text(
        json.dumps([index["en-01-bridge-explosion"], index["en-02-belarus-prisoners"]])
    )
    (tmp_path / "new.txt").write_text("A report that nobody recorded.", encoding="utf-8")
    (tmp_path / "empty.txt").write_text("", encoding="utf-8")
    write_gold(tmp_path, "gone")
    (tmp_path / "en-02-belarus-prisoners.gold.json").unlink()
    comparison = compare_prompts(tmp_path, ["plover@1.0.0", "plover@1.3.0"], root / "cassettes", tmp_path)
    told = dict(note.rsplit(": ", 1) for note in comparison.notes)
    assert told["Left out, not recorded"] == "new.txt"
    assert "empty.txt" in told.values()
    assert told["Left out, no gold"] == "en-02-belarus-prisoners"
    assert told[f"Left out, gold without a document in {tmp_path}"] == "gone"
    assert comparison.documents == 1 and comparison_markdown(comparison).endswith(comparison.notes[-1])


def test_an_answer_that_cannot_be_used_is_missed_whole_under_its_prompt(tmp_path: Path) -> None:
    """It is not "not recorded": the document stays in the comparison, for all prompts."""
    folder, cassettes, prompts = tmp_path / "documents", tmp_path / "cassettes", ["plover@1.0.0", "plover@1.1.0"]
    folder.mkdir()
    (folder / "d.txt").write_text(TEXT, encoding="utf-8")
    write_gold(folder, "d", events=EVENTS[:1])
    for prompt, reply in zip(prompts, (json.dumps(answer(EVENTS[:1])), "I would rather not."), strict=True):
        recorder = CassetteRecorder(ScriptedLLM(lambda r, reply=reply: reply), cassettes / f"{prompt}.json", "rerecord")
        with contextlib.suppress(errors.AnswerError):
            extract(Document(id="d.txt", text=TEXT), prompt=prompt, llm=recorder)
    comparison = compare_prompts(folder, prompts, cassettes, folder)
    assert comparison.documents == 1
    assert comparison.notes == ("Missed whole under plover@1.1.0, for its answer could not be used: d.txt",)
    assert [version.prompt for version in comparison.versions] == prompts
    assert [version.evaluation.f1("events") for version in comparison.versions] == [1.0, 0.0]
    assert comparison.versions[1].gains["events"].change == -1.0


def compared(folder: Path, answers: Sequence[dict[str, list[dict[str, Any]]]], **more: Any) -> Comparison:
    """Two prompts over documents of one text: `answers` has for each prompt the events of each document."""
    prompts = ["plover@1.0.0", "plover@1.1.0"]
    for prompt, events in zip(prompts, answers, strict=True):
        for name, found_there in events.items():
            text = f"{TEXT} {name}"
            (folder / f"{name}.txt").write_text(text, encoding="utf-8")
            llm = ScriptedLLM([answer(found_there)])
            recorder = CassetteRecorder(llm, folder / f".cassettes/{prompt}-{name}.json", "rerecord")
            extract(Document(id=f"{name}.txt", text=text), prompt=prompt, llm=recorder, model="desk")
    return compare_prompts(folder, prompts, folder / ".cassettes", folder, **more)


def test_one_document_gives_no_interval(tmp_path: Path) -> None:
    """Nor does one of several that has the aspect: drawn again and again it would look certain."""
    write_gold(tmp_path, "d", events=EVENTS[:2])
    write_gold(tmp_path, "e", events=[EVENTS[2]])
    one = EVENTS[:1]
    alone = compared(tmp_path, [{"d": EVENTS[:2]}, {"d": one}])
    assert alone.documents == 1 and alone.versions[1].gains["events"].text() == "(-0.333)"
    several = compared(tmp_path, [{"d": EVENTS[:2], "e": [EVENTS[2]]}, {"d": one, "e": []}])
    gains = several.versions[1].gains
    assert several.documents == 2 and gains["events"].interval is not None
    assert gains["modes"].change == 0.0 and gains["modes"].interval is None
    cards = several.versions[0].evaluation.cards
    assert interval(cards, "events") == (1.0, 1.0) and interval(cards, "modes") is None


def test_a_comparison_of_nothing_is_refused(root: Path, tmp_path: Path) -> None:
    """No recordings, none of the model, none of the documents, none with gold: each says so."""
    prompts = ["plover@1.0.0", "plover@1.3.0"]
    write_gold(tmp_path, "d")
    (tmp_path / "d.txt").write_text(TEXT, encoding="utf-8")
    (tmp_path / "empty").mkdir()
    nothing: list[tuple[str, type[errors.ExtractorError], Path, str | None]] = [
        ("There is no .*nosuch", errors.CassetteFormat, tmp_path / "nosuch", None),
        ("no recording in .*empty", errors.CassetteFormat, tmp_path / "empty", None),
        ("model 'other'.*: desk", errors.CassetteMiss, root / "cassettes", "other"),
        ("Nothing to compare: .*not recorded: d.txt", errors.DocumentError, root / "cassettes", None),
    ]
    for words, kind, cassettes, model in nothing:
        with pytest.raises(kind, match=words) as caught:
            compare_prompts(tmp_path, prompts, cassettes, tmp_path, model)
        assert caught.value.exit_code == 2
    with pytest.raises(errors.DocumentError, match=r"no gold: d\.txt"):
        compared_without_gold = tmp_path / "other"
        compared_without_gold.mkdir()
        write_gold(compared_without_gold, "gone")
        compared(compared_without_gold, [{"d": EVENTS}, {"d": EVENTS}])


def test_a_comparison_against_broken_gold_is_refused(tmp_path: Path) -> None:
    """Of codes before anything is replayed, of quotes before any figure."""
    for events, words in (
        ([EVENTS[0] | {"type": "PRAISE"}], "PRAISE"),
        ([event("SUPPORT", "thanked him", [2])], "thanked him"),
    ):
        write_gold(tmp_path, "d", events=events)
        with pytest.raises(errors.DocumentError, match=words):
            compared(tmp_path, [{"d": EVENTS}, {"d": EVENTS}])
    code, out, err = command(
        "compare", tmp_path, "--cassettes", tmp_path, "--prompt", "plover@1.0.0", "--prompt", "plover@1.1.0",
        "--markdown", tmp_path / "no" / "m.md",
    )  # fmt: skip
    assert (code, out) == (2, "") and "no folder" in err and err.count("\n") == 1
