"""Times that count from a day told elsewhere, where the answer says from which: `time=that evening`, `day=Tuesday`."""

import json
from datetime import date
from typing import Any

import pytest

from extractor import Document, Extraction, extract
from extractor.llm.scripted import ScriptedLLM
from extractor.text.dates.anaphora import Count, counted_from

PUBLISHED = "2024-05-18"  # a Saturday


def extracted(text: str, evidence: str, trigger: str, *more: str, language: str = "en") -> Extraction:
    return extracted_all(text, (evidence, trigger, *more), language=language)


def extracted_all(text: str, *said: tuple[str, ...], language: str = "en") -> Extraction:
    """One event for each (evidence, trigger, what else is said of it ...)."""
    events = [
        {"q": quote, "g": trigger, "t": "ACCUSE", "m": [], "c": [], "a": [], "b": [], "x": more}
        for quote, trigger, *more in said
    ]
    llm = ScriptedLLM([json.dumps({"n": [], "v": events, "r": []})])
    return extract(Document(id="d", text=text, language=language), published=PUBLISHED, llm=llm)


def day_of(*args: str, language: str = "en") -> date | None:
    time = extracted(*args, language=language).events[0].time
    assert time is not None
    if time.interval is None:
        return None
    assert time.interval.start == time.interval.end
    return time.interval.start


ON = "On Tuesday the court met. "
FA = "دادگاه سه‌شنبه ۲۵ اردیبهشت تشکیل شد. "
AR = "اجتمعت المحكمة يوم الثلاثاء. "
COUNTED: dict[str, tuple[str, tuple[str, ...], date]] = {
    "the words of the day inside those of a fact": ("en", ("On Tuesday, 7 May the court met. That evening he spoke.", "he spoke", "spoke", "time=That evening", "day=7 May"), date(2024, 5, 7)),
    "a part of the day": ("en", (ON + "Friday was quiet. In the evening he spoke.", "he spoke", "spoke", "time=In the evening", "day=On Tuesday"), date(2024, 5, 14)),
    "the same day, past another": ("en", (ON + "By Friday it was over. He spoke that evening.", "He spoke", "spoke", "time=that evening", "day=On Tuesday"), date(2024, 5, 14)),
    "days before what is named": ("en", (ON + "Two days before the hearing he spoke.", "he spoke", "spoke", "time=Two days before the hearing", "day=On Tuesday"), date(2024, 5, 12)),
    "days before, told behind the deed": ("en", (ON + "He had died two days before.", "He had died", "died", "time=two days before", "day=On Tuesday"), date(2024, 5, 12)),
    "the eve of it": ("en", (ON + "On the eve of the hearing he spoke.", "he spoke", "spoke", "time=On the eve of the hearing", "day=On Tuesday"), date(2024, 5, 13)),
    "the day after it": ("en", (ON + "The day after the hearing he spoke.", "he spoke", "spoke", "time=The day after the hearing", "day=On Tuesday"), date(2024, 5, 15)),
    "the other end of the count": ("en", (ON + "That was three days after another court jailed him.", "another court jailed him", "jailed", "time=three days after", "day=On Tuesday"), date(2024, 5, 11)),
    "the other end, before": ("en", (ON + "That was three days before another court jailed him.", "another court jailed him", "jailed", "time=three days before", "day=On Tuesday"), date(2024, 5, 17)),
    "the other end, in one quote": ("en", (ON + "That was three days after another court jailed him.", "three days after another court jailed him", "jailed", "time=three days after", "day=On Tuesday"), date(2024, 5, 11)),
    "behind a clause of its own": ("en", (ON + "Three days after the court met, he spoke.", "he spoke", "spoke", "time=Three days after", "day=On Tuesday"), date(2024, 5, 17)),
    "Persian, behind a clause of its own": ("fa", (FA + "سه روز پس از آنکه دادگاه تشکیل شد، او سخن گفت.", "او سخن گفت", "سخن گفت", "time=سه روز پس از آنکه", "day=سه‌شنبه ۲۵ اردیبهشت"), date(2024, 5, 17)),
    "the weekday of a far day": ("en", ("On 27 April 2024 it began. On that Saturday evening he spoke.", "he spoke", "spoke", "time=On that Saturday evening", "day=27 April 2024"), date(2024, 4, 27)),
    "the weekday, though the last one is nearer": ("en", ("On 27 April 2024 it began. He spoke on Saturday.", "He spoke", "spoke", "time=on Saturday", "day=27 April 2024"), date(2024, 4, 27)),
    "Persian": ("fa", (FA + "دو روز پیش از نشست، او سخن گفت.", "او سخن گفت", "سخن گفت", "time=دو روز پیش از نشست", "day=سه‌شنبه ۲۵ اردیبهشت"), date(2024, 5, 12)),
    "Persian, a part of the day": ("fa", (FA + "عصر او سخن گفت.", "او سخن گفت", "سخن گفت", "time=عصر", "day=سه‌شنبه ۲۵ اردیبهشت"), date(2024, 5, 14)),
    "Persian, the other end": ("fa", (FA + "این سه روز پس از آنکه او سخن گفت بود.", "او سخن گفت", "سخن گفت", "time=سه روز پس از آنکه", "day=سه‌شنبه ۲۵ اردیبهشت"), date(2024, 5, 11)),
    "Persian, this same day": ("fa", (FA + "عصر همین روز او سخن گفت.", "او سخن گفت", "سخن گفت", "time=عصر همین روز", "day=سه‌شنبه ۲۵ اردیبهشت"), date(2024, 5, 14)),
    "Persian, the evening after": ("fa", (FA + "عصر روز پس از نشست، او سخن گفت.", "او سخن گفت", "سخن گفت", "time=عصر روز پس از نشست", "day=سه‌شنبه ۲۵ اردیبهشت"), date(2024, 5, 15)),
    "Arabic, the count before its preposition": ("ar", (AR + "وكان ذلك ستة أيام بعد مكالمة بين الرئيسين.", "مكالمة بين الرئيسين", "مكالمة", "time=ستة أيام بعد", "day=يوم الثلاثاء"), date(2024, 5, 8)),
    "Arabic, the morrow of it": ("ar", (AR + "وجاء ذلك غداة إعلان الحكم.", "إعلان الحكم", "إعلان", "time=غداة", "day=يوم الثلاثاء"), date(2024, 5, 13)),
    "Arabic, the morrow": ("ar", (AR + "غداة الجلسة تحدث الرئيس.", "تحدث الرئيس", "تحدث", "time=غداة الجلسة", "day=يوم الثلاثاء"), date(2024, 5, 15)),
    "Arabic, since the morning": ("ar", (AR + "وتجمع المحتجون منذ الصباح.", "وتجمع المحتجون", "تجمع", "time=منذ الصباح", "day=يوم الثلاثاء"), date(2024, 5, 14)),
    "Arabic, two days before it": ("ar", (AR + "وكان قد تحدث قبل يومين من الجلسة.", "وكان قد تحدث", "تحدث", "time=قبل يومين من الجلسة", "day=يوم الثلاثاء"), date(2024, 5, 12)),
}  # fmt: skip


@pytest.mark.parametrize("case", COUNTED)
def test_a_time_counts_from_the_day_that_the_answer_names(case: str) -> None:
    """Whatever other day stands nearer; the sign of a count follows the side on which the fact is told."""
    language, said, expected = COUNTED[case]
    assert day_of(*said, language=language) == expected


OPEN: dict[str, tuple[str, ...]] = {
    "the day is a month": ("In April the court met. That evening he spoke.", "he spoke", "spoke", "time=That evening", "day=In April"),
    "the day has no days": ("Recently the court met. That evening he spoke.", "he spoke", "spoke", "time=That evening", "day=Recently"),
    "the count is none": (ON + "Soon after the hearing he spoke.", "he spoke", "spoke", "time=Soon after the hearing", "day=On Tuesday"),
    "something stands in between": (ON + "Three days after the council met he spoke.", "he spoke", "spoke", "time=Three days after", "day=On Tuesday"),
    "at the head, the clause itself or an adverb": (ON + "Three days after another court jailed him, that was.", "another court jailed him", "jailed", "time=Three days after", "day=On Tuesday"),
    "an adverb at the head": (ON + "The day before the union had called a strike.", "the union had called a strike", "called", "time=The day before", "day=On Tuesday"),
    "an adverb behind a comma": (ON + "It was quiet, and the day after he resigned.", "he resigned", "resigned", "time=the day after", "day=On Tuesday"),
    "told of the fact around it": (ON + "The minister, three days after the hearing, resigned.", "The minister, three days after the hearing, resigned", "resigned", "time=three days after", "day=On Tuesday"),
    "the morning after a night": ("On Tuesday night he was arrested. At dawn he was freed.", "he was freed", "freed", "time=At dawn", "day=On Tuesday night"),
    "the day itself counts from one that is not told": (ON + "Eight days after the strike he was freed. He spoke that day.", "He spoke", "spoke", "time=that day", "day=Eight days after the strike"),
    "another weekday, though no count": (ON + "He spoke until that Friday.", "He spoke", "spoke", "time=until that Friday", "day=On Tuesday"),
}  # fmt: skip


@pytest.mark.parametrize("case", OPEN)
def test_where_the_days_cannot_be_counted_they_stay_open(case: str) -> None:
    """A wrong day is worse than none."""
    assert day_of(*OPEN[case]) is None


OWN = {
    "On Friday": date(2024, 5, 17), "On Tuesday, 7 May": date(2024, 5, 7), "Last Tuesday": None, "Every Tuesday": None,
    "A week later, on Tuesday,": None, "Until that Tuesday": None,
}  # fmt: skip


@pytest.mark.parametrize("words", OWN)
def test_words_that_name_their_day_keep_it(words: str) -> None:
    """A day that is named beside them changes nothing, whatever weekday they share; where they name none, it makes none."""
    text = f"On Tuesday the court met. {words} he spoke."
    plain = day_of(text, "he spoke", "spoke", f"time={words}")
    assert day_of(text, "he spoke", "spoke", f"time={words}", "day=On Tuesday") == plain
    assert OWN[words] in (None, plain)


def test_a_day_may_count_from_one_that_was_counted_itself() -> None:
    """Eight days after the announcement, and what happened on that day; whatever their order in the answer."""
    text = "On 15 April it was announced. Eight days after the announcement he was banned. That day they were searched."
    said = [
        ("they were searched", "searched", "time=That day", "day=Eight days after the announcement"),
        ("he was banned", "banned", "time=Eight days after the announcement", "day=On 15 April"),
    ]
    found = extracted_all(text, *said)
    assert [str(event.time and event.time.interval and event.time.interval.start) for event in found.events] == [
        "2024-04-23", "2024-04-23",
    ]  # fmt: skip


def test_a_weekday_inside_a_date_is_that_date() -> None:
    """`Tuesday` of "Tuesday, 7 May" is no other Tuesday, though that one is nearer to publication."""
    text = "On Tuesday, 7 May the court met. That evening he spoke."
    said = [
        ("the court met", "met", "time=On Tuesday, 7 May"),
        ("he spoke", "spoke", "time=That evening", "day=Tuesday"),
    ]
    found = extracted_all(text, *said)
    assert {str(event.time and event.time.interval and event.time.interval.start) for event in found.events} == {
        "2024-05-07"
    }


def test_what_is_planned_may_count_from_a_day_behind() -> None:
    """Ten days after a hearing that was on Wednesday."""
    text = "The hearing was on Wednesday. Ten days after the hearing he will speak."
    when = day_of(text, "he will speak", "speak", "time=Ten days after the hearing", "day=on Wednesday", "future")
    assert when == date(2024, 5, 25)


def test_the_day_of_what_is_planned_lies_ahead() -> None:
    """As it does for the plan itself."""
    text = "Parliament meets on Wednesday. That evening he will speak."
    assert day_of(text, "he will speak", "speak", "time=That evening", "day=on Wednesday", "future") == date(
        2024, 5, 22
    )


def test_the_day_is_quoted_from_the_document() -> None:
    """With its offsets, in results and in their JSON; absent where nothing was said."""
    text = ON + "That evening he spoke."
    with_day = extracted(text, "he spoke", "spoke", "time=That evening", "day=On Tuesday")
    time = with_day.events[0].time
    assert time and time.anchor and text[time.anchor.span.start : time.anchor.span.end] == "On Tuesday"
    assert time.interval and time.interval.flags == ("anaphoric",)
    assert Extraction.model_validate_json(with_day.model_dump_json()) == with_day
    without = extracted(text, "he spoke", "spoke", "time=That evening").events[0].model_dump(mode="json")
    assert "anchor" not in without["time"]


def test_a_day_that_is_not_in_the_document_is_rejected_and_said_so() -> None:
    """The time itself stays."""
    found = extracted(
        ON + "That evening he spoke.", "he spoke", "spoke", "time=That evening", "day=On Wednesday, 15 May"
    )
    assert [(one.kind, one.reason) for one in found.rejections] == [("event.time", "not_in_text")]
    assert found.events[0].time and found.events[0].time.anchor is None


def test_what_counts_and_what_does_not() -> None:
    """`joins`: what follows its preposition is the other end of the count."""
    known: dict[str, Any] = {
        "three days after": Count(3, True), "three days after the vote": Count(3), "three days later": Count(3), "a day before": Count(-1, True),
        "the day after": Count(1, True), "the day after tomorrow": None, "the day before yesterday": None, "many days after": None,
        "overnight": Count(0), "at dawn": Count(0), "Monday morning": None, "two weeks after the vote": None, "سه روز پس از آنکه": Count(3, True),
        "فردای انتخابات": Count(1), "شب پیش از حمله": Count(-1), "امروز پس از ظهر": None, "بعد ثلاثة أيام من": Count(3, True), "غداة الهجوم": Count(1),
        "عشية القمة": Count(-1), "مساءً": Count(0), "ليلا": Count(0), "накануне выборов": Count(-1), "утром": Count(0),
    }  # fmt: skip
    assert {words: counted_from(words) for words in known} == known
