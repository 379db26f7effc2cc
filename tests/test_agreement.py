"""Agreement as confidence: a document is asked about several times, and each fact says how often it was found."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from extractor import Document, extract
from extractor.api import Extractor
from extractor.errors import Refused, SettingsError
from extractor.evaluation.evaluate import evaluate
from extractor.evaluation.render import sheets
from extractor.fake_endpoint import FakeEndpoint
from extractor.llm.base import Reply, Request
from extractor.llm.scripted import ScriptedLLM
from extractor.models import Extraction
from extractor.runs.run import batch

TEXT = "Police detained nine dock workers on Monday. The union accused the port authority of breaking its word."
PEOPLE = [
    {"id": 1, "type": "government_body", "name": "Police", "aliases": [], "name_en": "Police", "country": None, "sector": "COP"},
    {"id": 2, "type": "group", "name": "dock workers", "aliases": [], "name_en": None, "country": None, "sector": "LAB"},
]  # fmt: skip
REST: dict[str, Any] = {
    "modes": [], "contexts": [], "participants": [], "place": None, "time": None, "modality": "asserted", "source": None, "figures": [],
}  # fmt: skip
DETAINED = {
    "evidence": "Police detained nine dock workers",
    "trigger": "detained",
    "type": "COERCE",
    "actors": [1],
    "recipients": [2],
    **REST,
}
ACCUSED = {
    "evidence": "The union accused the port authority",
    "trigger": "accused",
    "type": "ACCUSE",
    "actors": [],
    "recipients": [],
    **REST,
}


def answer(*events: dict[str, Any], entities: list[dict[str, Any]] | None = None) -> str:
    return json.dumps({"entities": PEOPLE if entities is None else entities, "events": events, "relations": []})


def asked(*answers: str, passes: int, **settings: Any) -> tuple[Extraction, list[Request]]:
    requests: list[Request] = []

    def answer_to(request: Request) -> str:
        requests.append(request)
        return answers[len(requests) - 1]

    with Extractor(llm=ScriptedLLM(answer_to), passes=passes, **settings) as extractor:
        return extractor.extract(Document(id="d", text=TEXT)), requests


def test_each_fact_carries_the_share_of_passes_that_found_it() -> None:
    """Two of three found the accusation; the ids of the passes' entities need not agree."""
    swapped = [{**PEOPLE[0], "id": 7}, {**PEOPLE[1], "id": 9}]
    third = answer({**DETAINED, "actors": [7], "recipients": [9]}, entities=swapped)
    found, _ = asked(answer(DETAINED, ACCUSED), answer(DETAINED, ACCUSED), third, passes=3)
    assert {event.type: round(event.share or 0, 2) for event in found.events} == {"COERCE": 1.0, "ACCUSE": 0.67}
    assert [entity.share for entity in found.entities] == [1.0, 1.0]
    actor, recipient = found.events[0].actors[0], found.events[0].recipients[0]
    assert {entity.id: entity.name for entity in found.entities} == {actor: "Police", recipient: "dock workers"}


def test_what_passes_quote_otherwise_is_one_fact_still() -> None:
    """Another stretch of the same sentence, another sentence that tells the same act, another name for the same party."""
    longer = {**DETAINED, "evidence": "Police detained nine dock workers on Monday"}
    renamed = [PEOPLE[0], {**PEOPLE[1], "name": "nine dock workers"}]
    again = {**DETAINED, "evidence": "The union accused the port authority of breaking its word", "trigger": "accused"}
    found, _ = asked(answer(DETAINED), answer(longer), answer(again, entities=renamed), passes=3)
    (event,) = [one for one in found.events if one.type == "COERCE"]
    assert (event.share, event.evidence.text) == (1.0, "Police detained nine dock workers")
    assert [(entity.name, entity.share) for entity in found.entities] == [("Police", 1.0), ("dock workers", 1.0)]


def test_two_facts_of_one_pass_stay_two() -> None:
    """The LLM saw both and told them apart; the other pass's fact is joined to the one that it is most like."""
    beaten = {**DETAINED, "type": "ASSAULT", "trigger": "detained"}
    found, _ = asked(answer(DETAINED, beaten), answer(DETAINED), passes=2)
    assert {event.type: event.share for event in found.events} == {"COERCE": 1.0, "ASSAULT": 0.5}


def test_what_is_said_of_a_fact_is_put_to_the_vote() -> None:
    """Two of three hold against one, in every field; a field that one of two gives is what the first pass has there."""
    odd = {**DETAINED, "type": "ASSAULT", "modality": "future", "recipients": [], "time": None}
    dated = {**DETAINED, "time": "on Monday", "figures": [{"kind": "arrested", "value": "9"}]}
    found, _ = asked(answer(odd), answer(dated), answer(dated), passes=3)
    (event,) = found.events
    assert (event.type, event.modality, len(event.recipients), event.arrested) == ("COERCE", "asserted", 1, 9)
    assert event.time is not None and event.time.mention.text == "on Monday"
    first, _ = asked(answer(odd), answer(dated), passes=2)
    assert [(one.type, one.recipients, one.time) for one in first.events] == [("ASSAULT", (), None)]


def test_each_pass_has_a_fingerprint_of_its_own_and_the_first_that_of_a_single_pass() -> None:
    """What was asked once is not paid again when more passes are asked for; `pass` itself is not sent."""
    _, one = asked(answer(DETAINED), passes=1)
    _, three = asked(*[answer(DETAINED)] * 3, passes=3)
    assert three[0].fingerprint() == one[0].fingerprint()
    assert len({request.fingerprint() for request in three}) == 3
    assert [request.messages for request in three] == [one[0].messages] * 3


def test_a_seed_is_counted_up_from_pass_to_pass_and_temperature_0_is_refused() -> None:
    """Varied sampling: passes under one seed, or without any chance, would agree with themselves."""
    _, seeded = asked(*[answer(DETAINED)] * 3, passes=3, seed=7)
    assert [dict(request.parameters)["seed"] for request in seeded] == [7, 8, 9]
    with pytest.raises(SettingsError, match=r"passes \(from argument\): At temperature 0 all passes say the same"):
        asked(passes=2, temperature=0)


def test_passes_are_asked_side_by_side_and_what_one_fails_at_costs_the_others_nothing() -> None:
    """Three passes take the time of one: all are open at once. A pass that fails is told when the others are answered."""
    open_at_once: list[int] = []

    class Slow:
        """Answers when three are waiting; the second of them is refused."""

        def __init__(self) -> None:
            self.waiting, self.all_here = 0, asyncio.Event()

        async def complete(self, request: Request) -> Reply:
            self.waiting += 1
            number = self.waiting
            if number == 3:
                self.all_here.set()
            await asyncio.wait_for(self.all_here.wait(), 10)
            open_at_once.append(number)
            if number == 2:
                raise Refused("The LLM refused.")
            return Reply(answer(DETAINED))

        def forget(self, request: Request) -> None: ...

        async def aclose(self) -> None: ...

    with Extractor(llm=Slow(), passes=3) as extractor, pytest.raises(Refused):
        extractor.extract(Document(id="d", text=TEXT))
    assert sorted(open_at_once) == [1, 2, 3]


def test_the_passes_are_sent_alike_and_a_run_knows_how_many_there_were(tmp_path: Path) -> None:
    """Off unless asked for: a result of one pass has no shares at all; another number of passes is another question."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.txt").write_text(TEXT, encoding="utf-8")
    with FakeEndpoint(answer(DETAINED)) as endpoint:
        given: dict[str, Any] = {"base_url": endpoint.base_url, "cache_dir": tmp_path / "cache"}
        batch(tmp_path / "in", out=tmp_path / "run", **given)
        once = (tmp_path / "run/results.jsonl").read_text(encoding="utf-8")
        batch(tmp_path / "in", out=tmp_path / "run", passes=3, **given)
        thrice = (tmp_path / "run/results.jsonl").read_text(encoding="utf-8")
        assert len({request.body for request in endpoint.requests}) == 1 and len(endpoint.requests) == 3
    assert '"share"' not in once and thrice.count('"share":1.0') == 3
    assert json.loads(thrice)["provenance"]["parameters"] == {"passes": 3}


def test_evaluation_shows_the_precision_by_share(tmp_path: Path) -> None:
    """What all passes found is right more often than what one found: the figures say so, also for what keeping it would mean."""
    gold = {
        "document": "d",
        "entities": [{"id": 1, "type": "government_body", "name": "Police"}, {"id": 2, "type": "group", "name": "dock workers"}],
        "events": [{"type": "COERCE", "actors": [1], "recipients": [2], "trigger": "detained", "evidence": "Police detained nine dock workers"}],
    }  # fmt: skip
    (tmp_path / "d.gold.json").write_text(json.dumps(gold), encoding="utf-8")
    found, _ = asked(answer(DETAINED, ACCUSED), answer(DETAINED), passes=2)
    evaluation = evaluate([found], tmp_path)
    shares = [row for row in evaluation.as_json()["shares"] if row["aspect"] == "events"]
    assert [(row["share"], row["precision"]) for row in shares] == [(1.0, 1.0), (0.5, 0.0)]
    assert [(row["from_here"]["precision"], row["from_here"]["recall"]) for row in shares] == [(1.0, 1.0), (0.5, 1.0)]
    (sheet,) = (sheet for sheet in sheets(evaluation) if sheet.title == "By agreement of the passes")
    assert ("events found, 50% of the passes", "1", "0.000", "0.500", "1.000", "0.667") in sheet.rows


def test_one_pass_is_as_before() -> None:
    """`extract()` without passes: no share anywhere."""
    found = extract(TEXT, llm=ScriptedLLM([answer(DETAINED)]))
    assert found.events[0].share is None and "share" not in found.model_dump_json()


KARIMIS = "Ali Karimi resigned on Monday. Hassan Karimi was arrested on Tuesday. Rebels shelled Mersa on Monday. Rebels shelled Mersa again on Friday."


def karimi(name: str) -> dict[str, Any]:
    return {
        "id": 1,
        "type": "person",
        "name": name,
        "aliases": ["Karimi"],
        "name_en": name,
        "country": None,
        "sector": None,
    }


def done(quote: str, trigger: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"evidence": quote, "trigger": trigger, "type": kind, "actors": [1], "recipients": [], **REST, **more}


def in_passes(*answers: str) -> Extraction:
    llm = ScriptedLLM(list(answers))
    with Extractor(llm=llm, passes=len(answers)) as extractor:
        return extractor.extract(Document(id="d", text=KARIMIS))


def test_two_people_of_one_family_name_are_not_joined_over_passes() -> None:
    """Nobody resigns for the other."""
    ali = answer(done("Ali Karimi resigned on Monday", "resigned", "RETREAT"), entities=[karimi("Ali Karimi")])
    hassan = answer(done("Hassan Karimi was arrested", "arrested", "COERCE"), entities=[karimi("Hassan Karimi")])
    found = in_passes(ali, hassan, hassan)
    assert {entity.name for entity in found.entities} == {"Ali Karimi", "Hassan Karimi"}
    names = {entity.id: entity.name for entity in found.entities}
    assert {(event.type, names[event.actors[0]]) for event in found.events} == {
        ("RETREAT", "Ali Karimi"), ("COERCE", "Hassan Karimi"),
    }  # fmt: skip


def test_the_same_deed_on_another_day_is_another_deed_over_passes() -> None:
    """Told in another sentence, with another time."""
    rebels = [
        {"id": 1, "type": "group", "name": "Rebels", "aliases": [], "name_en": None, "country": None, "sector": "REB"}
    ]
    monday = done("Rebels shelled Mersa on Monday", "shelled", "ASSAULT", time="on Monday")
    friday = done("Rebels shelled Mersa again on Friday", "shelled", "ASSAULT", time="on Friday")
    found = in_passes(answer(monday, entities=rebels), answer(friday, entities=rebels), answer(friday, entities=rebels))
    assert sorted(event.time.mention.text for event in found.events if event.time) == ["on Friday", "on Monday"]
