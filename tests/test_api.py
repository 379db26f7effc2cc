"""`extract()` works wherever it is called, and equal runs give equal bytes."""

import asyncio
import inspect
import json
import os
import subprocess
import sys
import threading
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

import extractor
from extractor import Document, Extraction, Extractor, aextract, errors, extract
from extractor.config import load_settings
from extractor.errors import DocumentError, SettingsError
from extractor.llm.scripted import ScriptedLLM
from extractor.wiring import use_llm

TEXT = "Minister Ali Karimi met the ambassador in Mersa on Tuesday. Karimi condemned the attack."
ENTITY: dict[str, Any] = {"type": "person", "name_en": None, "country": None, "sector": None, "aliases": []}
EVENT: dict[str, Any] = {
    "trigger": "condemned", "type": "ACCUSE", "modes": ["disapprove"], "contexts": [], "actors": [1], "recipients": [],
    "participants": [], "place": None, "time": None, "modality": "asserted", "source": None, "figures": [],
}  # fmt: skip
ANSWER = {
    "entities": [ENTITY | {"id": 1, "name": "Ali Karimi", "aliases": ["Karimi"]}],
    "events": [
        EVENT | {"evidence": "Karimi condemned the attack"},
        EVENT | {"evidence": "met the ambassador in Mersa on Tuesday", "trigger": "met", "type": "CONSULT", "modes": ["visit"],
                 "time": "on Tuesday"},
    ],
    "relations": [],
}  # fmt: skip


NOTHING = '{"n": [], "v": [], "r": []}'


def double() -> ScriptedLLM:
    return ScriptedLLM(lambda request: ANSWER)


def test_it_works_in_a_script_in_a_thread_and_inside_a_running_loop() -> None:
    """The work is done on an event loop of its own."""
    plain = extract(TEXT, llm=double())
    found: list[Extraction] = []
    thread = threading.Thread(target=lambda: found.append(extract(TEXT, llm=double())))
    thread.start()
    thread.join()

    async def inside() -> Extraction:
        return extract(TEXT, llm=double())

    assert plain == found[0] == asyncio.run(inside())


async def test_aextract_is_the_same_awaitable() -> None:
    """On the running loop."""
    assert await aextract(TEXT, llm=double()) == extract(TEXT, llm=double())


def test_equal_runs_give_equal_bytes_and_json_loses_nothing() -> None:
    """Ids come from content; there and back is the same."""
    first, second = (extract(TEXT, published="2024-05-16", llm=double()) for _ in range(2))
    assert first.model_dump_json() == second.model_dump_json()
    assert Extraction.model_validate_json(first.model_dump_json()) == first


def test_facts_are_located_and_dated() -> None:
    """Every quote cuts its words out of the text; the time is an interval; order is that of the text."""
    extraction = extract(TEXT, published=date(2024, 5, 16), llm=double())
    met, condemned = extraction.events
    assert (
        TEXT[met.evidence.span.start : met.evidence.span.end]
        == met.evidence.text
        == "met the ambassador in Mersa on Tuesday"
    )
    assert met.time is not None and met.time.interval is not None
    assert (met.time.interval.start, met.time.interval.end) == (date(2024, 5, 14), date(2024, 5, 14))
    assert (condemned.type, condemned.quad, condemned.score) == ("ACCUSE", 3, -2.0)
    assert condemned.actors == (extraction.entities[0].id,)


def test_without_a_day_of_publication_times_stay_unresolved_and_it_says_so() -> None:
    """Never against the clock."""
    extraction = extract(TEXT, llm=double())
    assert extraction.events[0].time is not None and extraction.events[0].time.interval is None
    assert "publication" in extraction.provenance.notes[0]


def test_a_document_keeps_what_it_says_of_itself() -> None:
    """Id, title, url and text come out as they went in; the language is detected where it is not given."""
    document = Document(id="d1", text=TEXT, title="T", url="https://example.org/1")
    extraction = extract(document, llm=double())
    assert extraction.document == document.model_copy(update={"language": "en"})


def test_the_signature_is_the_one_that_is_documented() -> None:
    """Names, order and defaults are a contract."""
    parameters = inspect.signature(extract).parameters
    assert list(parameters) == ["text", "published", "language", "ontology", "prompt", "model", "settings", "llm"]
    assert parameters["ontology"].default == "plover"
    assert all(p.kind is p.KEYWORD_ONLY for name, p in parameters.items() if name != "text")
    assert list(inspect.signature(aextract).parameters) == list(parameters)


BAD = {
    "empty": ("", errors.DocumentError, "empty"),
    "only white space": (" \n\t", errors.DocumentError, "empty"),
    "five million characters": ("a " * 2_500_000, errors.DocumentError, "at most"),
    "NUL": ("ab\x00c", errors.DocumentError, "binary"),
    "a lone surrogate": ("ab\ud800c", errors.DocumentError, "surrogate"),
    "no text at all": (42, errors.DocumentError, "Expected a text"),
}


@pytest.mark.parametrize(("text", "error", "word"), BAD.values(), ids=BAD)
def test_bad_input_gets_one_line_that_says_what_to_do(text: Any, error: type[Exception], word: str) -> None:
    """Before anything is asked."""
    llm = double()
    with pytest.raises(error, match=word) as caught:
        extract(text, llm=llm)
    assert "\n" not in str(caught.value)
    assert llm.requests == []


UNKNOWN = {
    "prompt": ({"prompt": "nosuch"}, errors.PromptError, "plover"),
    "version": ({"prompt": "plover@9"}, errors.PromptError, "1.0.0"),
    "ontology": ({"ontology": "nosuch"}, errors.OntologyError, "plover@1"),
    "day": ({"published": "16.5.2024"}, errors.DocumentError, "YYYY-MM-DD"),
}


@pytest.mark.parametrize(("arguments", "error", "word"), UNKNOWN.values(), ids=UNKNOWN)
def test_unknown_names_are_told_with_those_that_exist(arguments: Any, error: type[Exception], word: str) -> None:
    """The message helps on."""
    with pytest.raises(error, match=word):
        extract(TEXT, llm=double(), **arguments)


def test_without_key_endpoint_or_cassettes_the_three_ways_are_told() -> None:
    """Hosted, local, replay."""
    with pytest.raises(errors.SettingsError) as caught:
        extract(TEXT)
    assert all(
        word in str(caught.value) for word in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "Ollama", "vLLM", "--replay")
    )


def test_use_llm_answers_every_extract_within_the_block() -> None:
    """So that code under test need not be told."""
    with use_llm(double()):
        assert extract(TEXT).events
    with pytest.raises(errors.SettingsError):
        extract(TEXT)


def test_extractor_holds_one_stack_for_many_calls(tmp_path: Path) -> None:
    """Settings are given once; what it is told wins over the environment."""
    with Extractor(llm=double(), model="m2", chunk_size=1000) as many:
        assert [many.extract(TEXT).provenance.model for _ in range(2)] == ["m2", "m2"]


def test_every_public_name_is_there_and_documented() -> None:
    """`extractor.__all__` is what can be imported, no more and no less, each with a docstring."""
    for name in extractor.__all__:
        value = getattr(extractor, name)
        assert name == "__version__" or value.__doc__, name
    assert set(extractor.__all__) <= set(dir(extractor))
    with pytest.raises(AttributeError):
        extractor.nothing_of_the_kind  # noqa: B018


def test_the_schema_of_an_extraction_is_json_schema() -> None:
    """It can be published, and names all fields of an event."""
    schema = Extraction.model_json_schema(mode="serialization")
    assert {"type", "modes", "evidence", "quad", "score", "time"} <= set(schema["$defs"]["Event"]["properties"])
    json.dumps(schema)


def test_a_document_of_100_000_characters_takes_the_calls_it_should() -> None:
    """Fourteen chunks, one call each; later ones are told the names met before; what stands in two chunks is one."""
    paragraph = "Minister Ali Karimi met the ambassador in Mersa on Tuesday. Nothing else of note happened in the town on that day.\n"
    text = (paragraph * (100_000 // len(paragraph) + 1))[:100_000]
    llm = double()
    extraction = extract(text, llm=llm)
    assert len(llm.requests) == extraction.provenance.chunks == extraction.usage.requests == 14
    assert "Names met before: Ali Karimi" in llm.requests[1].messages[1].content
    assert [entity.name for entity in extraction.entities] == ["Ali Karimi"]


def test_the_cache_is_limited_only_when_that_is_asked_for(tmp_path: Path) -> None:
    """Age and size are settings; without them nothing goes."""
    from extractor.fake_endpoint import FakeEndpoint

    with FakeEndpoint(ANSWER) as endpoint:
        for age, calls in ((None, 1), (None, 1), (1e-9, 2), (1e-9, 3)):
            folder = tmp_path / str(age)
            with Extractor(base_url=endpoint.base_url, model="m", cache_dir=folder, cache_max_age=age) as one:
                one.extract(TEXT)
            assert len(endpoint.requests) == calls


def test_arguments_are_checked_whatever_they_stand_beside() -> None:
    """Beside settings as without them; None means that nothing was given."""
    settings = load_settings(model="one")
    for wrong in ({"modle": "x"}, {"passes": 0}, {"passes": 3, "temperature": 0}, {"concurrency": 0}):
        with pytest.raises(SettingsError):
            Extractor(settings, **wrong)
        with pytest.raises(SettingsError):
            Extractor(settings).with_settings(**wrong)
    assert Extractor(settings, model=None, prompt=None).settings == settings
    assert Extractor(settings, passes=2).settings.model_fields_set == settings.model_fields_set | {"passes"}


@pytest.mark.parametrize(
    "wrong", [{"published": 5}, {"published": "1403-02-27"}, {"language": "klingon"}, {"language": 5}]
)
def test_days_and_languages_that_are_none_are_told(wrong: dict[str, Any]) -> None:
    """With a text as with a document."""
    for text in ("Text.", Document(id="a", text="Text.")):
        with pytest.raises(DocumentError, match="expected"):
            extract(text, llm=ScriptedLLM([NOTHING]), **wrong)


def test_a_time_of_publication_is_its_day_and_a_language_with_a_region_the_language() -> None:
    """And the extraction reads back as it was written."""
    document = Document(id="a", text="Text.")
    found = extract(document, published=datetime(2024, 5, 16, 8), language="fa-IR", llm=ScriptedLLM([NOTHING]))
    assert (found.document.published, found.document.language) == (date(2024, 5, 16), "fa")
    assert Extraction.model_validate_json(found.model_dump_json()) == found


FORKED = """
import multiprocessing
from extractor import extract
from extractor.llm.scripted import ScriptedLLM

def count(number):
    return len(extract(f"Text {number}.", llm=ScriptedLLM(['{"n": [], "v": [], "r": []}'])).events)

count(0)
with multiprocessing.get_context("fork").Pool(2) as pool:
    print(pool.map(count, range(4), chunksize=1))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes cannot fork here")
def test_a_forked_child_has_a_loop_of_its_own() -> None:
    """The parent's has no thread in it: a call would wait for ever."""
    done = subprocess.run([sys.executable, "-c", FORKED], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[0, 0, 0, 0]\n"
