"""Through real sockets: each fault of an endpoint ends in the right result or the right error, with the right number of calls."""

import asyncio
import json
import logging
import pickle
from typing import Any

import pytest

from extractor import Extraction, Extractor, errors
from extractor import fake_faults as faults
from extractor.fake_endpoint import FakeEndpoint

TEXT = "Minister Ali Karimi met the ambassador in Mersa on Tuesday. He condemned the attack and thanked the Union."
KEY = "sk-planted-0123456789abcdef"
ANSWER = {
    "entities": [{"id": 1, "type": "person", "name": "Ali Karimi", "aliases": [], "name_en": "Ali Karimi", "country": None, "sector": "GOV"}],
    "events": [
        {"evidence": "He condemned the attack", "trigger": "condemned", "type": "ACCUSE", "modes": ["disapprove"], "contexts": [],
         "actors": [1], "recipients": [], "participants": [], "place": None, "time": None, "modality": "asserted", "source": None,
         "figures": []},
    ],
    "relations": [],
}  # fmt: skip


def ask(endpoint: FakeEndpoint, text: str = TEXT, **settings: Any) -> tuple[Extraction, Extractor]:
    """One document through the whole stack."""
    defaults: dict[str, Any] = {
        "base_url": endpoint.base_url, "api_key": KEY, "model": "m", "cache": False, "attempts": 3, "retry_wait": 0.01, "timeout": 5.0,
    }  # fmt: skip
    with Extractor(**(defaults | settings)) as extractor:
        return extractor.extract(text, published="2024-05-16"), extractor


def fails(endpoint: FakeEndpoint, error: type[errors.ExtractorError], **settings: Any) -> errors.ExtractorError:
    """The error that a document ends in; it pickles, and holds no key."""
    with pytest.raises(error) as caught:
        ask(endpoint, **settings)
    told = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 (our own error, to show that it crosses processes)
    assert (type(told), str(told)) == (error, str(caught.value))
    assert KEY not in repr(caught.value.record()) + str(caught.value)
    return caught.value


def test_strict_schema_and_only_what_is_set_are_on_the_wire() -> None:
    """The bytes that the server received ask for the schema with strict: true, and carry no parameter that was not set."""
    with FakeEndpoint(ANSWER) as endpoint:
        extraction, _ = ask(endpoint)
    sent = endpoint.requests[0].json
    assert b'"strict":true' in endpoint.requests[0].body.replace(b" ", b"")
    assert sent["response_format"]["json_schema"]["schema"]["additionalProperties"] is False
    assert set(sent) == {"messages", "model", "response_format"}
    assert [event.type for event in extraction.events] == ["ACCUSE"]


def test_parameters_are_sent_when_they_are_set() -> None:
    """temperature, seed and both names of the token limit go out as they are given."""
    with FakeEndpoint(ANSWER) as endpoint:
        ask(endpoint, temperature=0.2, seed=7, max_completion_tokens=900)
    sent = endpoint.requests[0].json
    assert (sent["temperature"], sent["seed"], sent["max_completion_tokens"]) == (0.2, 7, 900)
    assert "max_tokens" not in sent


@pytest.mark.parametrize(("modes", "calls"), [(("tools",), 2), (("json",), 3)])
def test_an_endpoint_without_json_schema_is_asked_in_the_next_way(modes: tuple[str, ...], calls: int) -> None:
    """json_schema, then tools, then json with the schema in the prompt; what works is remembered."""
    with (
        FakeEndpoint(ANSWER, modes=modes) as endpoint,
        Extractor(base_url=endpoint.base_url, model="m", cache=False) as extractor,
    ):
        assert extractor.extract(TEXT).events
        assert extractor.extract(TEXT + " More.").events
    assert len(endpoint.requests) == calls + 1


RECOVERED = {
    "429 with Retry-After": ([faults.rate_limited("0.05"), ANSWER], 2),
    "500, then success": ([faults.status(500), ANSWER], 2),
    "503 twice, then success": ([faults.status(503), faults.status(503), ANSWER], 3),
    "a dropped connection": ([faults.Fault(how="reset"), ANSWER], 2),
    "closed before an answer": ([faults.Fault(how="close"), ANSWER], 2),
    "cut in the middle": ([faults.Fault(answer=ANSWER, how="cut"), ANSWER], 2),
    "cut in the middle, without a length": ([faults.Fault(answer=ANSWER, how="cut_unsized"), ANSWER], 2),
    "an HTML page with status 200": ([faults.not_a_completion("html"), ANSWER], 2),
    "an error inside a 200": ([faults.not_a_completion("error"), ANSWER], 2),
    "malformed JSON, mended when asked again": ([faults.malformed(), ANSWER], 2),
    "not of the schema, mended when asked again": (['{"events": []}', ANSWER], 2),
}


@pytest.mark.parametrize(("answers", "calls"), RECOVERED.values(), ids=RECOVERED)
def test_what_passes_by_itself_is_tried_again(answers: list[Any], calls: int) -> None:
    """The document is done, with just the calls it takes."""
    with FakeEndpoint(answers) as endpoint:
        extraction, _ = ask(endpoint)
    assert [event.evidence.text for event in extraction.events] == ["He condemned the attack"]
    assert len(endpoint.requests) == calls


FAILED = {
    "401": (faults.status(401, "bad key " + KEY), errors.AuthenticationFailed, 1),
    "403": (faults.status(403), errors.AuthenticationFailed, 1),
    "404, unknown model": (faults.unknown_model(), errors.UnknownModel, 1),
    "400": (faults.status(400, "no such thing"), errors.RequestRejected, 1),
    "quota, not rate": (faults.out_of_quota(), errors.QuotaExceeded, 1),
    "a rate limit of an hour": (faults.rate_limited("3600"), errors.RateLimited, 1),
    "500 for ever": (faults.status(500), errors.ServerFault, 3),
    "malformed JSON for ever": (faults.malformed(), errors.Unreadable, 2),
    "a refusal": (faults.refusal(), errors.Refused, 1),
    "a content filter": (faults.content_filter(), errors.ContentFiltered, 1),
    "half JSON, cut at the length limit, too short to halve": (faults.cut_at_length(), errors.Truncated, 1),
    "whole JSON, cut at the length limit": (faults.cut_at_length(ANSWER), errors.Truncated, 1),
    "empty choices": (faults.not_a_completion("no_choices"), errors.BadEnvelope, 3),
    "null content": (faults.not_a_completion("null_content"), errors.BadEnvelope, 3),
    "an empty body": (faults.not_a_completion("empty"), errors.BadEnvelope, 3),
    "204": (faults.not_a_completion("no_content"), errors.BadEnvelope, 3),
    "an array": (faults.not_a_completion("array"), errors.BadEnvelope, 3),
    "a text": (faults.not_a_completion("text"), errors.BadEnvelope, 3),
    "no finish reason": (faults.not_a_completion("null_finish"), errors.BadEnvelope, 3),
    "connections dropped for ever": (faults.Fault(how="reset"), errors.ConnectionFailed, 3),
    "a key that occurs twice": (
        '{"entities": [], "entities": [], "events": [], "relations": []}',
        errors.Unreadable,
        2,
    ),
    "100,000 brackets": ("[" * 100_000, errors.Unreadable, 2),
    "not a number": ('{"entities": NaN, "events": [], "relations": []}', errors.Unreadable, 2),
}


@pytest.mark.parametrize(("answer", "error", "calls"), FAILED.values(), ids=FAILED)
def test_what_does_not_pass_ends_as_the_error_it_is(
    answer: Any, error: type[errors.ExtractorError], calls: int
) -> None:
    """The right class, the right number of calls, and no key in it."""
    with FakeEndpoint([answer]) as endpoint:
        fails(endpoint, error)
    assert len(endpoint.requests) == calls


def test_a_truncated_answer_is_halved_and_loses_nothing() -> None:
    """The chunk is asked about in two halves; facts of both are there."""
    long = (
        TEXT
        + "\n"
        + "The ministry gave no details of the talks, which went on until the evening. " * 6
        + "\nSara Noury resigned."
    )

    def answer(asked: dict[str, Any]) -> Any:
        document = asked["messages"][-1]["content"].partition("<<<")[2]
        if "condemned" in document and "resigned" in document:
            return faults.cut_at_length()
        return ANSWER if "condemned" in document else {"entities": [], "events": [], "relations": []}

    with FakeEndpoint(answer) as endpoint:
        extraction, _ = ask(endpoint, long)
    assert len(endpoint.requests) == 3
    assert (extraction.provenance.splits, len(extraction.events)) == (1, 1)


def test_a_slow_answer_ends_at_the_deadline() -> None:
    """A drip of bytes does not keep a call alive past its time limit."""
    with FakeEndpoint([faults.Fault(answer=ANSWER, how="drip", drip=5, interval=0.1)]) as endpoint:
        fails(endpoint, errors.CallTimeout, timeout=0.5, attempts=1)
    with FakeEndpoint([faults.Fault(how="hang")]) as endpoint:
        fails(endpoint, errors.CallTimeout, timeout=0.3, attempts=1)


def test_a_decompression_bomb_is_not_unpacked() -> None:
    """Reading stops at the cap."""
    with FakeEndpoint([faults.Fault(how="bomb", bomb=1 << 28)]) as endpoint:
        fails(endpoint, errors.ReplyTooLarge)


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_redirects_are_refused(code: int) -> None:
    """Key and document do not follow an endpoint to another place."""
    with (
        FakeEndpoint(ANSWER) as trap,
        FakeEndpoint([faults.redirect(trap.base_url + "/chat/completions", code)]) as endpoint,
    ):
        fails(endpoint, errors.RedirectRefused)
    assert trap.requests == []


def test_proxies_of_the_environment_are_not_used_unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    """HTTP_PROXY sends nothing elsewhere."""
    with FakeEndpoint(ANSWER) as trap, FakeEndpoint(ANSWER) as endpoint:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, trap.base_url.removesuffix("/v1"))
        ask(endpoint)
    assert (len(trap.requests), len(endpoint.requests)) == (0, 1)


@pytest.mark.parametrize("key", ["sk-a b", "sk-a\nb", "sk-é"])
def test_a_key_that_cannot_be_right_is_refused_before_it_is_used(key: str) -> None:
    """The message says what is wrong, and does not show it."""
    with FakeEndpoint(ANSWER) as endpoint, pytest.raises(errors.SettingsError) as caught:
        ask(endpoint, api_key=key)
    assert key not in str(caught.value)
    assert endpoint.requests == []


def test_no_log_holds_the_key_or_the_document(caplog: pytest.LogCaptureFixture) -> None:
    """At DEBUG, for every library of the stack."""
    caplog.set_level(logging.DEBUG)
    with FakeEndpoint([faults.status(500), faults.status(401, "key " + KEY)]) as endpoint:
        fails(endpoint, errors.AuthenticationFailed)
    told = "\n".join(record.getMessage() for record in caplog.records)
    assert KEY not in told
    assert "condemned the attack" not in told


def test_equal_requests_at_one_moment_are_one_call() -> None:
    """Twenty at once, one paid."""
    with FakeEndpoint(ANSWER, latency=0.2) as endpoint:

        async def all_at_once() -> list[Extraction]:
            async with Extractor(base_url=endpoint.base_url, model="m", cache=False) as extractor:
                return await asyncio.gather(*(extractor.aextract(TEXT) for _ in range(20)))

        found = asyncio.run(all_at_once())
    assert len(endpoint.requests) == 1
    assert all(extraction == found[0] for extraction in found)


def test_a_cached_reply_is_not_asked_again_by_another_process_or_key() -> None:
    """The key is what was asked, and nothing of who asked."""
    with FakeEndpoint(ANSWER) as endpoint:
        first, _ = ask(endpoint, cache=True)
        again, extractor = ask(endpoint, cache=True, api_key="sk-another", timeout=7.0)
    assert len(endpoint.requests) == 1
    assert extractor.meter.cache_hits == 1
    assert json.loads(first.model_dump_json()) == json.loads(again.model_dump_json())
