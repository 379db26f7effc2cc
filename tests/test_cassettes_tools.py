"""Folders of cassettes are checked, compared, pruned, and exchanged with the cache."""

import json
import shutil
from pathlib import Path

import pytest

from extractor import Extractor, errors, extract
from extractor.cassettes_tools import check, difference, export_cache, import_cache, migrate, prune, show
from extractor.llm.cassette import CassettePlayer, CassetteRecorder
from extractor.llm.scripted import ScriptedLLM

EMPTY = {"entities": [], "events": [], "relations": []}


@pytest.fixture
def cassettes(root: Path, tmp_path: Path) -> Path:
    """Three of the seeds' cassettes, and the three seeds."""
    folder, documents = tmp_path / "cassettes", tmp_path / "documents"
    folder.mkdir()
    documents.mkdir()
    shutil.copy(root / "cassettes/plover-1.6.0/_shared.json", folder)
    for name in ("fa-01-minsk-memorandum", "ar-05-aden-currency", "en-01-bridge-explosion"):
        shutil.copy(root / "cassettes/plover-1.6.0" / f"{name}.json", folder)
        shutil.copy(root / "seeds" / f"{name}.txt", documents)
    return folder


def test_the_seeds_cassettes_are_in_order(root: Path) -> None:
    """None stale, none of an old format, none unused."""
    assert check(root / "cassettes", documents=root / "seeds") == []


def test_one_word_of_a_prompt_makes_exactly_its_cassettes_fail(cassettes: Path, root: Path, tmp_path: Path) -> None:
    """And the message tells a newcomer what differs and what to do."""
    prompts = tmp_path / "prompts"
    shutil.copytree(root / "prompts", prompts)
    path = prompts / "plover/1.6.0.md"
    path.write_text(
        path.read_text(encoding="utf-8").replace("You read one news report", "You read a news report"), encoding="utf-8"
    )
    (prompts / "released.json").unlink()  # a released one would be refused
    assert {finding.kind for finding in check(cassettes, prompts=prompts)} == {"stale"}
    assert len(check(cassettes, prompts=prompts)) == 3
    text = (tmp_path / "documents/fa-01-minsk-memorandum.txt").read_text(encoding="utf-8")
    with pytest.raises(errors.CassetteMiss) as caught, Extractor(replay=cassettes, prompts_dir=prompts) as extractor:
        extractor.extract(text)
    told = str(caught.value)
    assert "differs in: the template text" in told
    assert "-You read one news report" in told and "+You read a news report" in told
    assert "fa-01-minsk-memorandum.json" in told and "extractor cassettes record" in told


MISSES = {
    "the document": ({}, "Another text."),
    "the model ('other', recorded 'desk')": ({"model": "other"}, None),
    "a parameter (temperature)": ({"temperature": 0.5}, None),
}


@pytest.mark.parametrize(("words", "case"), MISSES.items(), ids=MISSES)
def test_a_miss_says_in_words_what_differs(
    words: str, case: tuple[dict[str, object], str | None], cassettes: Path, tmp_path: Path
) -> None:
    """Document, model or parameter."""
    settings, text = case
    seed = (tmp_path / "documents/en-01-bridge-explosion.txt").read_text(encoding="utf-8")
    with pytest.raises(errors.CassetteMiss) as caught, Extractor(replay=cassettes, **settings) as extractor:
        extractor.extract(text or seed)
    assert words in str(caught.value)


def test_unused_and_damaged_cassettes_are_found_and_unused_ones_pruned(cassettes: Path, tmp_path: Path) -> None:
    """A document that went leaves its exchange unused; a file changed by hand is no cassette."""
    (tmp_path / "documents/ar-05-aden-currency.txt").unlink()
    path = cassettes / "en-01-bridge-explosion.json"
    path.write_text(
        path.read_text(encoding="utf-8").replace(
            '"model": "desk",\n    "parameters"', '"model": "desk2",\n    "parameters"'
        ),
        encoding="utf-8",
    )
    kinds = {(f.path.name, f.kind) for f in check(cassettes, documents=tmp_path / "documents")}
    assert kinds == {("ar-05-aden-currency.json", "unused"), ("en-01-bridge-explosion.json", "format")}
    path.unlink()
    assert prune(cassettes, documents=tmp_path / "documents") == 1
    assert sorted(p.name for p in cassettes.iterdir()) == ["_shared.json", "fa-01-minsk-memorandum.json"]


def test_recordings_of_a_prompt_that_is_not_there_are_never_removed(
    cassettes: Path, root: Path, tmp_path: Path
) -> None:
    """They may be good under a folder of prompts that was not named: told apart from what is stale, and left alone."""
    prompts = tmp_path / "prompts"
    (prompts / "plover").mkdir(parents=True)
    shutil.copy(root / "prompts/plover/1.0.0.md", prompts / "plover")
    findings = check(cassettes, prompts=prompts)
    assert {finding.kind for finding in findings} == {"unknown"} and "plover@1.6.0" in findings[0].detail
    before = sorted(cassettes.iterdir())
    assert prune(cassettes, prompts=prompts) == 0
    assert prune(cassettes, prompts=prompts, documents=tmp_path / "documents") == 0
    assert sorted(cassettes.iterdir()) == before


def test_migrating_keeps_every_byte_of_what_is_of_today(cassettes: Path) -> None:
    """Written anew, a cassette of today's format is the same file."""
    before = {path.name: path.read_bytes() for path in cassettes.iterdir()}
    assert migrate(cassettes) == 3
    assert {path.name: path.read_bytes() for path in cassettes.iterdir()} == before


def test_an_older_format_is_named_with_what_to_do(cassettes: Path) -> None:
    """Never misread."""
    path = cassettes / "fa-01-minsk-memorandum.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"format": 1', '"format": 0'), encoding="utf-8")
    with pytest.raises(errors.CassetteFormat, match="migrate"):
        CassettePlayer(cassettes).reel  # noqa: B018


def test_recordings_are_compared_and_shown_as_facts(cassettes: Path, tmp_path: Path) -> None:
    """Not as JSON."""
    other = tmp_path / "other"
    shutil.copytree(cassettes, other)
    path = other / "en-01-bridge-explosion.json"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('\\"x\\":[]', '\\"x\\":[\\"negated\\"]', 1), encoding="utf-8")
    lines = list(difference(cassettes, other))
    assert lines[0] == "en-01-bridge-explosion.json:"
    assert [line[2:3] for line in lines[1:]] == ["-", "+"]
    assert "negated" in lines[2] and "asserted" in lines[1]
    assert any("ASSAULT" in line for line in show(cassettes))


def test_cache_and_cassettes_exchange_what_they_hold(cassettes: Path, tmp_path: Path) -> None:
    """Cassettes fill a cache; a run's cache becomes cassettes that play the same."""
    assert import_cache(cassettes, tmp_path / "cache2") == 3
    text = (tmp_path / "documents/fa-01-minsk-memorandum.txt").read_text(encoding="utf-8")
    from extractor.models import Document

    document = Document(id="fa-01", text=text)
    with Extractor(replay=cassettes) as extractor:
        played = extractor.extract(document)
    assert export_cache(iter([played]), tmp_path / "cache2", tmp_path / "exported") == 1
    with Extractor(replay=tmp_path / "exported") as extractor:
        assert extractor.extract(document) == played


async def test_recording_once_asks_only_what_is_missing_and_rerecording_asks_all(tmp_path: Path) -> None:
    """Both write the exchange as it came."""
    live = ScriptedLLM(lambda request: json.dumps(EMPTY) + " \u2028سلام")
    for mode, asked in (("once", 1), ("once", 1), ("rerecord", 2)):
        from extractor import aextract

        recorder = CassetteRecorder(live, tmp_path / "c", mode)  # type: ignore[arg-type]
        await aextract("A text.", llm=recorder)
        assert len(live.requests) == asked
    assert live.requests[0].messages[1].content.startswith("This is the whole document.")
    player = CassettePlayer(tmp_path / "c")
    assert (await player.complete(live.requests[0])).text == json.dumps(EMPTY) + " \u2028سلام"


async def test_one_request_recorded_twice_plays_in_order(tmp_path: Path) -> None:
    """Sampling gives several replies to one question."""
    from extractor.llm.base import AnswerSchema, Message, Request

    request = Request((Message("user", "q"),), AnswerSchema("a", "{}"), "m")
    live = ScriptedLLM(["first", "second"])
    recorder = CassetteRecorder(live, tmp_path / "c.json", "rerecord")
    for _ in range(2):
        await recorder.complete(request)
    player = CassettePlayer(tmp_path / "c.json")
    assert [(await player.complete(request)).text for _ in range(3)] == ["first", "second", "second"]


def test_documents_can_be_left_out(tmp_path: Path) -> None:
    """Their digest stays, so that replaying works; their words are not in the folder."""
    recorder = CassetteRecorder(ScriptedLLM(lambda r: EMPTY), tmp_path / "c", omit_documents=True)
    extract("A confidential sentence.", llm=recorder)
    assert all("confidential" not in path.read_text(encoding="utf-8") for path in (tmp_path / "c").iterdir())
    assert extract("A confidential sentence.", llm=CassettePlayer(tmp_path / "c")).events == ()


def test_an_exchange_that_nothing_asked_for_fails_when_checked(cassettes: Path) -> None:
    """Named with its file, and with what to do."""
    player = CassettePlayer(cassettes)
    with pytest.raises(errors.CassetteUnused, match="prune"):
        player.check_used()


def test_no_setting_but_what_is_part_of_the_question_gets_into_a_cassette(tmp_path: Path) -> None:
    """Secrets in every field that takes a text or a path: none is in the files. Model, sampling and note belong there, and are."""
    from extractor.config import Settings
    from extractor.fake_endpoint import FakeEndpoint

    secret = "planted4711"
    with FakeEndpoint(EMPTY) as endpoint:
        planted = {
            "api_key": f"sk-{secret}", "base_url": f"{endpoint.base_url.removesuffix('/v1')}/{secret}/v1",
            "cache_dir": tmp_path / secret / "cache", "record": tmp_path / secret / "cassettes",
        }  # fmt: skip
        shown = {"model": "m-shown", "record_note": "note-shown", "seed": 4242}
        with Extractor(**planted, **shown) as extractor:
            extractor.extract("A text.")
        assert endpoint.requests[0].headers["authorization"] == f"Bearer sk-{secret}"
    texts = [
        field
        for field, info in Settings.model_fields.items()
        if "str" in str(info.annotation) or "Path" in str(info.annotation)
    ]
    known = {*planted, *shown, "mode", "reasoning_effort", "ontology", "prompt", "prompts_dir", "replay", "record_mode"}
    assert set(texts) <= known, "a new setting: plant a secret in it here, or say that it belongs into cassettes"
    written = "".join(path.read_text(encoding="utf-8") for path in (tmp_path / secret / "cassettes").iterdir())
    assert secret not in written and str(endpoint.port) not in written
    assert all(str(value) in written for value in shown.values())
