"""Days that count from a day named before: the nearest one before them in the text, and nothing where there is none."""

import csv
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from extractor import Document, extract
from extractor.llm.scripted import ScriptedLLM
from extractor.text.calendars import resolve_time
from extractor.text.dates.anaphora import days_after
from extractor.text.dates.weekdays import weekdays_named

CASES = {
    "the same day": 0, "later the same evening": 0, "On that night": 0, "the next day": 1, "two days later": 2, "3 days later": 3,
    "a day earlier": -1, "همان روز": 0, "ظهر همان روز": 0, "همان شب": 0, "شامگاه همان روز": 0, "روز بعد": 1, "فردای آن روز": 1,
    "دو روز بعد": 2, "سه روز پس از آن": 3, "۲ روز بعد": 2, "في اليوم نفسه": 0, "مساء اليوم نفسه": 0, "وفي اليوم التالي": 1,
    "بعد ذلك بيومين": 2, "بعد ثلاثة أيام من ذلك": 3, "в тот же день": 0, "на следующий день": 1,
    "بعد يومين": 2, "وبعد يوم واحد": 1, "بعد ثلاثة أيام": 3, "بعدها بيومين": 2, "بعد عدة أيام": None, "بعد يومين من الهجوم": None,
    "Tuesday": None, "two weeks later": None, "هفته بعد": None, "سه روز پس از اعلام حکم": None, "days later": None, "روز سه‌شنبه": None,
    "many days later": None, "400 days later": None,
    "ناوقت همان شب": 0, "اليوم الموالي": 1, "وفي اليوم الموالي": 1, "قبل ذلك بخمسة أيام": -5, "قبلها بيومين": -2, "قبل ذلك بيوم": -1,
    "بعد ذلك بخمسة أيام": 5, "بعد 11 يوما": 11, "قبل ذلك بأيام": None,
}  # fmt: skip


@pytest.mark.parametrize(("expression", "days"), CASES.items())
def test_expressions_that_count_from_a_day_before(expression: str, days: int | None) -> None:
    """In four languages, whatever the spelling; what counts from something else is none of them."""
    assert days_after(expression) == days


# Split at the bars.
SAME_DAY = (
    "the same day|on the same day|earlier the same day|Earlier that day|later that day|later the same evening|"
    "later on the same day|much later that day|shortly earlier that day|that day|on that day|on that very day|that same day|"
    "late that day|early that morning|late on that evening|hours later the same day|a few hours later that day|"
    "at 10 a.m. that day|at 10:30 the same day|that day at 5 pm|in the early hours of that day|on the evening of the same day|"
    "the morning of that day|in the late evening of that day|earlier in the day|later in the day|later in the evening|"
    "Later, on the same day|during that night|earlier that same day|"
    "همان روز|در همان روز|اوایل همان روز|اوائل همان روز|در اواخر همان روز|ساعتی بعد در همان روز|ساعاتی بعد، در همان روز|"
    "دو ساعت بعد همان روز|پیش‌تر در همان روز|پیشتر همان روز|عصر همان روز|همان روز عصر|در بعدازظهر همان روز|"
    "ساعت ۱۰ صبح همان روز|حدود ساعت هفت همان روز|ساعت ۱۰:۳۰ همان روز|آن روز|در آن روز|صبح آن روز|آن شب|در آن شب|اواخر همان شب|"
    "در ادامه همان روز|در طول آن روز|ساعات اولیه همان روز|در نخستین ساعات همان روز|کمی بعد در همان روز|سحرگاه همان روز|"
    "پیش از ظهر همان روز|در پایان همان روز|"
    "في وقت سابق من اليوم نفسه|في وقت لاحق من اليوم ذاته|وفي وقت لاحق من ذلك اليوم|في ذلك اليوم|ذلك اليوم|في نفس اليوم|"
    "وفي ذات اليوم|مساء نفس اليوم|صباح ذلك اليوم|في مساء اليوم نفسه|في صباح اليوم ذاته|تلك الليلة|في تلك الليلة|"
    "لاحقاً في اليوم نفسه|لاحقا من اليوم نفسه|بعد ساعات من اليوم نفسه|في ساعة متأخرة من اليوم نفسه|"
    "في وقت متأخر من مساء اليوم نفسه|في الساعات الأولى من اليوم نفسه|بعد ظهر اليوم نفسه|اليوم نفسه مساءً|"
    "الساعة العاشرة من صباح اليوم نفسه|عند الساعة 10:30 من مساء اليوم ذاته|خلال اليوم نفسه|في الليلة ذاتها|المساء ذاته|"
    "في وقت لاحق من الليلة نفسها|أواخر اليوم نفسه|"
    "в тот же день|позже в тот же день|вечером того же дня|тем же вечером|в тот день"
)
ANOTHER_DAY = (
    "since that day|until that day|by that evening|before that day|from that day|after the same day|hours later|later|earlier|"
    "that Monday|these days|the day|in the day|late in the day|hours later that night|the same day last year|"
    "days later the same week|after that day|one of those days|two days later that day|the other day|not the same day|same-day|"
    "ساعتی بعد|ساعاتی بعد در همان شب|تا آن روز|از همان روز|پس از آن روز|پیش از آن روز|آن روزها|همان روزها|روز|آن|همین روز|"
    "در همین روز|تا پایان همان روز|از صبح همان روز|سه روز پس از آن روز|آن زمان|یک روز قبل از آن روز|"
    "منذ ذلك اليوم|حتى ذلك اليوم|بعد ذلك اليوم|قبل ذلك اليوم|في وقت لاحق من اليوم|في وقت لاحق|بعد ساعات|حتى مساء اليوم نفسه|"
    "منذ صباح اليوم نفسه|اليوم|ليلة اليوم نفسه|الأيام نفسها|ذات يوم|عشية ذلك اليوم|قبيل ذلك اليوم|من مساء اليوم نفسه"
)


@pytest.mark.parametrize("expression", SAME_DAY.split("|"))
def test_words_around_the_same_day_leave_it_the_same(expression: str) -> None:
    """Earlier, later, a part of the day or an hour of it: the day is sure."""
    assert days_after(expression) == 0


@pytest.mark.parametrize("expression", ANOTHER_DAY.split("|"))
def test_what_begins_ends_or_lies_beside_that_day_is_not_it(expression: str) -> None:
    """Since that day, before it, hours after a day that is not named: nothing is sure."""
    assert days_after(expression) is None


def times(
    text: str, *said: tuple[str, str], language: str = "en", published: str | None = "2024-05-16", **fields: str
) -> list[Any]:
    rest: dict[str, Any] = {
        "modes": [], "contexts": [], "actors": [], "recipients": [], "participants": [], "place": None, "modality": "asserted", "source": None,
        "figures": [],
    }  # fmt: skip
    events = [
        {"evidence": evidence, "trigger": evidence.split()[-1], "type": "ACCUSE", "time": when, **rest, **fields}
        for evidence, when in said
    ]
    llm = ScriptedLLM([json.dumps({"entities": [], "events": events, "relations": []})])
    found = extract(Document(id="d", text=text, language=language), published=published, llm=llm)
    return [event.time.interval for event in found.events if event.time]


def test_the_nearest_day_before_counts() -> None:
    """And the interval says that it was worked out so."""
    text = "On Tuesday the minister spoke. The same evening the union answered. On 10 May a strike began. Two days later it ended."
    first, same, strike, later = times(
        text, ("the minister spoke", "On Tuesday"), ("the union answered", "The same evening"), ("a strike began", "On 10 May"),
        ("it ended", "Two days later"),
    )  # fmt: skip
    assert same.start == same.end == first.start == date(2024, 5, 14)
    assert (strike.start, later.start) == (date(2024, 5, 10), date(2024, 5, 12))
    assert (first.flags, same.flags) == ((), ("anaphoric",))


@pytest.mark.parametrize(
    "text",
    [
        "The same evening the union answered.",
        "In April the minister spoke. The same evening the union answered.",
        "On 2 May the mayor left. In April the minister spoke. Two days later the union answered.",
    ],
)
def test_without_a_day_before_it_stays_open(text: str) -> None:
    """No day is invented: neither out of the day of publication nor out of a month, nor out of a day before that month."""
    said = [("the mayor left", "On 2 May")] if "2 May" in text else []
    said += [("the minister spoke", "In April")] if "April" in text else []
    when = "Two days later" if "Two days later" in text else "The same evening"
    assert times(text, *said, ("the union answered", when))[-1] is None


def test_the_same_day_means_a_day_and_days_after_a_few_count_from_their_end() -> None:
    """A month told in between is passed over by `the same evening`; three days after the 8th and 9th is the 12th."""
    text = "On 2 May the mayor left. In April the minister spoke. The same evening the union answered. "
    text += "On 8 and 9 May the council met. Three days later it voted."
    said = (
        ("the mayor left", "On 2 May"), ("the minister spoke", "In April"), ("the union answered", "The same evening"),
        ("the council met", "On 8 and 9 May"), ("it voted", "Three days later"),
    )  # fmt: skip
    found = times(text, *said)
    assert (found[2].start, found[4].start) == (date(2024, 5, 2), date(2024, 5, 12))
    assert found[4].precision == "day"
    text = "On 8 and 9 May the council met. Two days before, the mayor had warned."
    assert times(text, ("the council met", "On 8 and 9 May"), ("the mayor had warned", "Two days before"))[
        1
    ].start == date(2024, 5, 6)


COUNTS_ON = {
    "two counts in a row": ("On Tuesday the court met. Two days later he was freed. Two days later he left.", ("the court met", "On Tuesday"), ("he was freed", "Two days later"), ("he left", "Two days later")),
    "after what": ("On Tuesday the court met. He was freed three days after the strike ended.", ("the court met", "On Tuesday"), ("He was freed", "three days after")),
    "before what": ("On Tuesday the court met. He was freed two days before the vote.", ("the court met", "On Tuesday"), ("He was freed", "two days before")),
}  # fmt: skip


@pytest.mark.parametrize("case", COUNTS_ON)
def test_a_count_from_something_else_stays_open(case: str) -> None:
    """From a day that was counted itself, or from what the text goes on to name: a wrong day is worse than none."""
    text, *said = COUNTS_ON[case]
    assert times(text, *said)[-1] is None


def test_days_before_count_from_a_day_near_by_only() -> None:
    """`two days before` mostly goes back from a deed that is told without its day."""
    far = "On 8 May the council met. " + "It spoke of many things. " * 15 + "Two days before the mayor had warned."
    assert times(far, ("the council met", "On 8 May"), ("the mayor had warned", "Two days before"))[1] is None


@pytest.mark.parametrize(
    ("kind", "modality", "when", "start"),
    [
        ("PROTEST", "asserted", "on 27 June", date(2023, 6, 27)),
        ("PROTEST", "asserted", "on 20 May", date(2024, 5, 20)),
        ("CONSULT", "asserted", "on 27 June", date(2023, 6, 27)),
        ("AGREE", "asserted", "on 27 June", date(2024, 6, 27)),
        ("CONSULT", "hypothetical", "on 27 June", date(2024, 6, 27)),
        ("CONSULT", "negated", "on 27 June", date(2024, 6, 27)),
        ("CONSULT", "future", "on 27 August", date(2024, 8, 27)),
        ("CONSULT", "asserted", "on 27 August", date(2023, 8, 27)),
    ],
)
def test_a_deed_that_is_asserted_lies_behind(kind: str, modality: str, when: str, start: date) -> None:
    """Not so a day in the coming week, nor the time of what is agreed, called for or planned."""
    [found] = times(f"The union met the minister {when}.", ("The union met", when), type=kind, modality=modality)
    assert found.start == start


RUNNING = {
    "en": "By Friday he sat in the sun, and on WEDNESDAY he wed.",
    "fa": "سه شنبه، سه‌شنبه و سهشنبه؛ جمعه شب",
    "ar": "يوم الاربعاء، والثلاثاء؛ الأحد وأحد",
    "ru": "в пятницу",
}
NAMED_BEFORE = Path(__file__).parent / "tables" / "named_before.tsv"
ROWS = [
    pytest.param(row, id=f"{row['named']}: {row['expression']}")
    for row in csv.DictReader(NAMED_BEFORE.read_text("utf-8").splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
]


@pytest.mark.parametrize("row", ROWS)
def test_the_week_month_or_year_of_a_time_named_before(row: dict[str, str]) -> None:
    """In a report of 15 October 2025 it names exactly the days of the table, or none; alone it names none."""
    language, expression = row["language"], row["expression"]
    assert resolve_time(expression, published="2025-10-15", language=language) is None
    said = [(words, words) for words in (row["named"], expression)]
    named, found = times(f"{row['named']} ... {expression}", *said, published="2025-10-15", language=language)
    given = found and (found.start.isoformat(), found.end.isoformat(), found.calendar, found.precision, found.flags)
    expected = (row["start"], row["end"], row["calendar"], row["precision"], ("anaphoric",))
    assert named is not None
    assert given == (None if row["start"] == "-" else expected)


@pytest.mark.parametrize(
    ("text", "said", "start"),
    [
        (
            "On 4 September he met A. On Friday he met B, and C on the sixth.",
            ("On 4 September", "On Friday", "on the sixth"),
            None,
        ),
        (
            "On 4 May he met A. On Monday he met B, and C on the sixth.",
            ("On 4 May", "On Monday", "on the sixth"),
            date(2024, 5, 6),
        ),
        ("On Monday he met A, and B on the sixth.", ("On Monday", "on the sixth"), None),
        (
            "On 4 May he met A. In 2019 he met B, and C later that week.",
            ("On 4 May", "In 2019", "later that week"),
            date(2024, 4, 29),
        ),
        (
            "On 4 May he met A. In 2019 he met B, and C later that month.",
            ("On 4 May", "In 2019", "later that month"),
            date(2024, 5, 1),
        ),
        (
            "On 4 May he met A. In 2019 he met B, and C in June of that year.",
            ("On 4 May", "In 2019", "in June of that year"),
            date(2019, 6, 1),
        ),
        (
            f"On 4 May he met A.{' Nothing was said.' * 100} He met B later that month.",
            ("On 4 May", "later that month"),
            None,
        ),
        ("Later that month he met B.", ("Later that month",), None),
    ],
)
def test_which_time_before_it_is_meant(text: str, said: tuple[str, ...], start: date | None) -> None:
    """A week or month: the nearest that lies in one. A year: the nearest. A bare day: one told with its month, and none of another month between."""
    found = times(text, *[(words, words) for words in said])[-1]
    assert (found and found.start) == start


@pytest.mark.parametrize(
    ("language", "text", "said"),
    [
        ("en", "It began on Tuesday. By Friday it was over. That morning he spoke.", ("on Tuesday", "That morning")),
        ("fa", "سه‌شنبه آغاز شد و تا پنج شنبه ادامه داشت. همان روز او سخن گفت.", ("سه‌شنبه", "همان روز")),
        ("ar", "بدأ يوم الثلاثاء وانتهى قبل الاربعاء. وفي اليوم نفسه تحدث.", ("يوم الثلاثاء", "في اليوم نفسه")),
        ("ru", "Началось во вторник, к среде закончилось. В тот же день он выступил.", ("во вторник", "В тот же день")),
    ],
)
def test_behind_a_weekday_that_is_no_fact_s_time_it_stays_open(language: str, text: str, said: tuple[str, ...]) -> None:
    """It may well mean that one. A wrong day is worse than none."""
    with_another = times(text, *[(words, words) for words in said], language=language)
    assert (with_another[0] is None, with_another[1]) == (False, None)
    alone = f"{said[0]} ... {said[1]}"
    first, same = times(alone, *[(words, words) for words in said], language=language)
    assert first.start == same.start


def test_a_weekday_that_a_fact_leaves_open_stands_in_between_too() -> None:
    """`By Friday` is no day, and yet what follows may mean that Friday."""
    text = "It began on Tuesday. By Friday it was over. That morning he spoke."
    found = times(text, *[(words, words) for words in ("on Tuesday", "By Friday", "That morning")])
    assert (found[0] is None, found[1:]) == (False, [None, None])


NOT_ANOTHER_DAY = {
    "the same weekday again": ("en", "It began on Tuesday. Tuesday's attack was over. That morning he spoke.", ("on Tuesday", "That morning")),
    "the date's own weekday": ("en", "It began on 14 May (Tuesday). That morning he spoke.", ("on 14 May", "That morning")),
    "the same in Arabic": ("ar", "بدأ في 14 مايو (الثلاثاء). وفي اليوم نفسه تحدث.", ("في 14 مايو", "في اليوم نفسه")),
    "a Friday imam": ("fa", "سه‌شنبه آغاز شد و امام جمعه تهران رسید. همان روز او سخن گفت.", ("سه‌شنبه", "همان روز")),
    "a verb": ("ar", "بدأ يوم الثلاثاء في لقاء جمعه بنظيره. وفي اليوم نفسه تحدث.", ("يوم الثلاثاء", "في اليوم نفسه")),
}  # fmt: skip
ANOTHER_DAY_ALL_THE_SAME = {
    "letters of another script": ("en", "It began on Tuesday. The Hashd (الحشد) left by Friday. That morning he spoke.", ("on Tuesday", "That morning")),
    "days of a fact that are several": ("en", "It began on Tuesday. Talks ran from Wednesday to Friday. That morning he spoke.", ("on Tuesday", "from Wednesday to Friday", "That morning")),
    "the next day": ("en", "It began on Tuesday. The next day it ended. That evening he spoke.", ("on Tuesday", "The next day", "That evening")),
    "an Arabic kaf": ("fa", "سه‌شنبه آغاز شد و تا يكشنبه ادامه داشت. همان روز او سخن گفت.", ("سه‌شنبه", "همان روز")),
    "a proclitic": ("ar", "بدأ يوم الثلاثاء وتأجل للجمعة. وفي اليوم نفسه تحدث.", ("يوم الثلاثاء", "في اليوم نفسه")),
    "a Russian dative": ("ru", "Началось во вторник, к четвергу закончилось. В тот же день он выступил.", ("во вторник", "В тот же день")),
}  # fmt: skip


@pytest.mark.parametrize("case", NOT_ANOTHER_DAY)
def test_a_weekday_that_is_the_same_or_none_changes_nothing(case: str) -> None:
    """The day named before still counts."""
    language, text, said = NOT_ANOTHER_DAY[case]
    found = times(text, *[(words, words) for words in said], language=language)
    assert found[0].start == found[-1].start


@pytest.mark.parametrize("case", ANOTHER_DAY_ALL_THE_SAME)
def test_another_day_is_seen_however_it_is_written(case: str) -> None:
    """And what follows stays open."""
    language, text, said = ANOTHER_DAY_ALL_THE_SAME[case]
    found = times(text, *[(words, words) for words in said], language=language)
    assert (found[0] is None, found[-1]) == (False, None)


@pytest.mark.parametrize(
    ("text", "when", "fields"),
    [
        ("اجتمع يوم الاثنين. ومن المقرر أن تجرى الانتخابات بعد يومين.", "بعد يومين", {"modality": "future"}),
        ("اجتمع يوم الاثنين. وانسحب بعد يومين من توقيع الاتفاق.", "بعد يومين", {}),
        ("اجتمع يوم الاثنين. والأوضاع تسوء يوما بعد يوم.", "بعد يوم", {}),
    ],
)
def test_what_may_count_from_now_or_from_something_else_stays_open(
    text: str, when: str, fields: dict[str, str]
) -> None:
    """In Arabic `in two days` and `two days later` are the same words."""
    assert times(text, ("يوم الاثنين", "يوم الاثنين"), (when, when), language="ar", **fields)[1] is None


def test_a_number_that_is_too_long_is_no_number() -> None:
    """And no crash."""
    assert days_after("1" * 5000 + " days later") is None
    assert days_after("بعد ٠ أيام") is None


def test_weekdays_are_found_in_running_text() -> None:
    """Whatever the spelling; short forms are words of other meanings too."""
    assert [len(weekdays_named(text, code)) for code, text in RUNNING.items()] == [2, 4, 3, 1]


def test_without_a_day_of_publication_days_written_with_their_year_are_known() -> None:
    """And those that count from them; what takes the day of publication stays open."""
    text = "On 14 May 2024 the court met. Two days later he was freed. On Friday a strike began. In June it ended."
    court, freed, strike, end = times(
        text, ("the court met", "On 14 May 2024"), ("he was freed", "Two days later"), ("a strike began", "On Friday"),
        ("it ended", "In June"), published=None,
    )  # fmt: skip
    assert [str(found and found.start) for found in (court, freed)] == ["2024-05-14", "2024-05-16"]
    assert strike is None
    assert end is None
