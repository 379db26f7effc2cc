"""The same thing found in two chunks is one; two things stay two; ids come from content."""

from typing import Any

import pytest

from extractor.facts import Facts
from extractor.merging import identify, merge_facts
from extractor.models import Entity, Event, Mention, Relation, Span


def mention(start: int, text: str) -> Mention:
    return Mention(text=text, span=Span(start=start, end=start + len(text)))


def person(id: str, name: str, *aliases: str, en: str | None = None, at: int = 0, type: str = "person") -> Entity:
    return Entity(id=id, type=type, name=name, aliases=aliases, name_en=en, mentions=(mention(at, name),))


def act(type: str = "ACCUSE", start: int = 100, text: str = "criticised the law", **more: Any) -> Event:
    return Event(id="", type=type, evidence=mention(start, text), quad=3, **({"score": -3.0} | more))


def link(subject: str, target: str, predicate: str = "employer", start: int = 10, **more: Any) -> Relation:
    return Relation(
        id="", predicate=predicate, subject=subject, object=target, evidence=mention(start, "works for"), **more
    )


JOINED = {
    "the same name": (person("0.1", "Ali Karimi"), person("1.1", "Ali Karimi")),
    "the same name, spelled otherwise": (person("0.1", "علي كريمي"), person("1.4", "علی کریمی")),
    "half-spaces lost": (person("0.1", "قالیباف‌پور"), person("1.1", "قالیبافپور")),
    "the same English name": (
        person("0.1", "مسعود پزشکیان", en="Masoud Pezeshkian"),
        person("1.1", "بزشكيان", en="masoud pezeshkian"),
    ),
    "a full name and its alias": (
        person("0.1", "Ali Karimi", "Karimi", en="Ali Karimi"),
        person("1.1", "Karimi", en="Karimi"),
    ),
    "an organisation by two types": (
        person("0.1", "حزب‌الله", en="Hezbollah", type="armed_group"),
        person("1.1", "حزب الله", en="Hezbollah", type="organization"),
    ),
}
APART = {
    "two of one chunk": (person("0.1", "Ali Karimi"), person("0.2", "Ali Karimi")),
    "a person and a place of one name": (person("0.1", "Washington"), person("1.1", "Washington", type="place")),
    "the same name, two English names": (
        person("0.1", "کریمی", en="Ali Karimi"),
        person("1.1", "کریمی", en="Reza Karimi"),
    ),
    "other names": (person("0.1", "Ali Karimi"), person("1.1", "Ali Karami")),
    "two towns of one name": (
        person("0.1", "Tripoli", type="place").changed(country="LBY"),
        person("1.1", "Tripoli", type="place").changed(country="LBN"),
    ),
    "only a shared alias": (person("0.1", "Ali Karimi", "the minister"), person("1.1", "Reza Sadr", "the minister")),
}


@pytest.mark.parametrize(("a", "b"), JOINED.values(), ids=JOINED)
def test_one_referent_in_two_chunks_is_one_entity(a: Entity, b: Entity) -> None:
    """Joined by folded name, unambiguous alias or English name; all forms are kept."""
    merged = merge_facts([Facts((a,)), Facts((b,))]).entities
    assert len(merged) == 1
    assert {merged[0].name, *merged[0].aliases} == {a.name, *a.aliases, b.name, *b.aliases}


@pytest.mark.parametrize(("a", "b"), APART.values(), ids=APART)
def test_two_referents_stay_two_entities(a: Entity, b: Entity) -> None:
    """What one chunk tells apart, or what differs in type or English name, is not joined."""
    parts = [Facts((a, b))] if a.id[0] == b.id[0] else [Facts((a,)), Facts((b,))]
    assert len(merge_facts(parts).entities) == 2


def test_a_family_name_that_two_persons_bear_joins_neither() -> None:
    """An alias is proof only where nobody else bears it."""
    first = Facts((person("0.1", "Ali Karimi", "Karimi"), person("0.2", "Reza Karimi", "Karimi")))
    assert len(merge_facts([first, Facts((person("1.1", "Karimi"),))]).entities) == 3


def test_an_event_in_the_overlap_is_one() -> None:
    """The same type in the same words; what only the second knows is taken over."""
    a = act(actors=("0.1",))
    b = act(actors=("1.1",), dead=3, modes=("allege",), score=-3.5)
    merged = merge_facts([Facts((person("0.1", "X Y"),), (a,)), Facts((person("1.1", "X Y"),), (b,))]).events
    assert [(e.actors, e.dead, e.modes, e.score) for e in merged] == [(("0.1",), 3, ("allege",), -3.5)]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(act(type="REJECT"), id="another type"),
        pytest.param(act(start=400), id="elsewhere in the text"),
        pytest.param(act(modality="negated"), id="another modality"),
        pytest.param(act(actors=("0.2",)), id="another actor"),
        pytest.param(act(trigger=mention(111, "the law")), id="another trigger"),
    ],
)
def test_two_events_stay_two(other: Event) -> None:
    """Type, place in the text, modality, actors and trigger tell events apart."""
    first = act(actors=("0.1",), trigger=mention(100, "criticised"))
    people = (person("0.1", "Ali Karimi"), person("0.2", "Reza Sadr"))
    assert len(merge_facts([Facts(people, (first, other))]).events) == 2


def test_a_relation_stated_twice_is_one() -> None:
    """Predicate, ends and modality make a relation; the first evidence stays."""
    people = (person("0.1", "A B"), person("0.2", "C D"))
    again = (person("1.1", "A B"), person("1.2", "C D"))
    merged = merge_facts([Facts(people, (), (link("0.1", "0.2"),)), Facts(again, (), (link("1.1", "1.2", start=90),))])
    assert [(r.subject, r.object, r.evidence.span.start) for r in merged.relations] == [("0.1", "0.2", 10)]


def test_a_relation_whose_ends_became_one_is_gone() -> None:
    """Nobody is linked to themselves."""
    parts = [Facts((person("0.1", "A B"),)), Facts((person("1.1", "A B", at=3), person("1.2", "A  B")), (), ())]
    assert merge_facts(parts).relations == ()


def test_ids_come_from_content_and_stay() -> None:
    """Equal facts have equal ids, whatever the local ids and the order of the answer were."""
    people = (person("0.1", "Ali Karimi", at=5), person("0.2", "Reza Sadr", at=50))
    renamed = (person("3.9", "Reza Sadr", at=50), person("3.7", "Ali Karimi", at=5))
    one = identify(merge_facts([Facts(people, (act(actors=("0.1",)),), (link("0.1", "0.2"),))]), "digest")
    two = identify(merge_facts([Facts(renamed, (act(actors=("3.7",)),), (link("3.7", "3.9"),))]), "digest")
    assert one == two
    assert identify(Facts(people), "other document").entities[0].id != one.entities[0].id


def test_two_equal_facts_have_two_ids() -> None:
    """Ids are unique within a document."""
    facts = identify(Facts((), (act(), act())), "digest")
    assert len({event.id for event in facts.events}) == 2


TWICE = {
    "in other places": ({"place": "0.1"}, {"place": "0.2"}),
    "with other figures": ({"dead": 3}, {"dead": 5}),
    "at other times": (
        {"time": {"mention": mention(90, "on Monday")}},
        {"time": {"mention": mention(120, "on Tuesday")}},
    ),
}


@pytest.mark.parametrize("case", TWICE)
def test_what_was_told_apart_in_one_chunk_stays_apart(case: str) -> None:
    """Two arrests of one sentence in two cities are two; what says nothing more is joined, as are two tellings in two chunks."""
    entities = (person("0.1", "Mersa", type="place"), person("0.2", "Rasht", type="place"))

    def merged(ids: tuple[str, str], *more: dict[str, Any]) -> int:
        events = [act(**some).model_copy(update={"id": id}) for id, some in zip(ids, more, strict=True)]
        return len(merge_facts([Facts(entities, tuple(events))]).events)

    one, other = TWICE[case]
    assert merged(("0.1", "0.2"), one, other) == 2
    assert merged(("0.1", "0.2"), one, {}) == 1
    assert merged(("0.1", "1.1"), one, other) == 1


def test_two_terms_of_one_office_are_two_relations() -> None:
    """From 2010 to 2012, and from 2016 to 2018."""
    ends = (person("0.1", "Ali Karimi"), person("0.2", "minister", type="office"))
    times = ({"mention": mention(50, "2010-2012")}, {"mention": mention(70, "2016-2018")})
    links = tuple(link("0.1", "0.2", "position_held", time=time) for time in times)
    assert len(merge_facts([Facts(ends, (), links)]).relations) == 2
    assert len(merge_facts([Facts(ends, (), (links[0], links[0]))]).relations) == 1
