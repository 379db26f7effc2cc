"""Rules of `extractor.text.calendars`: what days a time expression names, and when it names none."""

from __future__ import annotations

import csv
import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractor.models import TimeInterval
from extractor.text.calendars import days_named, resolve_time

TABLE = Path(__file__).parent / "tables" / "time_expressions.tsv"
ROWS = list(csv.DictReader(TABLE.read_text("utf-8").splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))
WEDNESDAY = "2023-10-18"


def one_row(row: dict[str, str]) -> object:
    return pytest.param(row, id=f"{row['language']}: {row['expression']} @ {row['published']}")


@pytest.mark.parametrize("row", [one_row(row) for row in ROWS])
def test_an_expression_names_the_days_of_the_table(row: dict[str, str]):
    """Every expression of the table names exactly the days, calendar, precision and flags given there, or none."""
    found = resolve_time(row["expression"], published=row["published"], language=row["language"])
    given = (
        (str(found.start), str(found.end), found.calendar, found.precision, ",".join(found.flags)) if found else None
    )
    expected = (row["start"], row["end"], row["calendar"], row["precision"], row["flags"])
    assert given == (None if row["start"] == "-" else expected)


def test_the_table_is_large_and_names_its_sources():
    """At least 300 expressions, 80 or more in each main language, each with the source of its arithmetic."""
    assert len(ROWS) >= 300
    assert all(row["arithmetic"] for row in ROWS)
    assert all(sum(row["language"] == language for row in ROWS) >= 80 for language in ("fa", "ar", "en"))


@pytest.mark.parametrize(
    ("expression", "year"),
    [
        ("25 مهر 1402", "written"),
        ("سه‌شنبه ۲۵ مهر", "weekday"),
        ("۲۵ مهر", "past"),
        ("۲۵ آبان آینده", "future"),
        ("دیروز", "publication"),
        ("مهر سال گذشته", "publication"),
    ],
)
def test_where_the_year_comes_from_is_told(expression: str, year: str):
    """The year is written, settled by the weekday, the nearest past or future one, or relative to publication."""
    found = resolve_time(expression, published=WEDNESDAY)
    assert found is not None
    assert found.year == year


def test_publication_may_be_a_date_a_time_or_iso_text():
    """Of a time only its day counts, in whatever form it is given."""
    forms = [
        datetime.date(2023, 10, 18),
        datetime.datetime(2023, 10, 18, 23, 59),
        WEDNESDAY,
        "2023-10-18T23:59:00+03:30",
    ]
    assert len({resolve_time("yesterday", published=form) for form in forms}) == 1


@pytest.mark.parametrize("published", ["", "18 October 2023", "2023-13-01", "1402/07/26", 5, None])
def test_a_publication_that_is_no_day_is_refused(published: object):
    """A wrong day of publication is an error that says what was expected and what came."""
    with pytest.raises(ValueError, match="published must be a date") as caught:
        resolve_time("yesterday", published=published)  # type: ignore[arg-type]
    assert repr(published) in str(caught.value)


@pytest.mark.parametrize("expression", ["", " ", "\u200c", "()", "و", "-", "x" * 100_000, "5 " * 100, "(" * 150])
def test_what_says_nothing_names_nothing(expression: str):
    """Emptiness, signs alone and texts far too long are unresolved."""
    assert resolve_time(expression, published=WEDNESDAY) is None


@pytest.mark.parametrize("language", ["de", "", "FA", "tlh"])
def test_an_unknown_language_is_read_by_its_script(language: str):
    """A language without a lexicon does not hinder reading what is written in one that has one."""
    assert resolve_time("۲۵ مهر ۱۴۰۲", published=WEDNESDAY, language=language) is not None


def test_a_foreign_expression_is_read_in_its_own_language():
    """An English date inside a Persian report is read as English."""
    found = resolve_time("5 May 2023", published=WEDNESDAY, language="fa")
    assert found == TimeInterval(start=datetime.date(2023, 5, 5), end=datetime.date(2023, 5, 5))


@pytest.mark.parametrize("published", [datetime.date.min, datetime.date.max])
@pytest.mark.parametrize(
    "expression", ["yesterday", "next week", "last month", "دو سال پیش", "25 مهر", "رمضان", "5 May"]
)
def test_the_ends_of_time_are_no_errors(expression: str, published: datetime.date):
    """Publication at the first or last day that a date can hold raises nothing."""
    resolve_time(expression, published=published)


SPELLINGS = {
    "digits of Persian": lambda text: text.translate({ord("0") + digit: 0x6F0 + digit for digit in range(10)}),
    "digits of Arabic": lambda text: text.translate({ord("0") + digit: 0x660 + digit for digit in range(10)}),
    "Arabic yeh and kaf": lambda text: text.replace("ی", "ي").replace("ک", "ك"),
    "Persian yeh and kaf": lambda text: text.replace("ي", "ی").replace("ك", "ک"),
    "half-spaces lost": lambda text: text.replace("\u200c", ""),
    "half-spaces as spaces": lambda text: text.replace("\u200c", " "),
    "non-breaking spaces": lambda text: text.replace(" ", "\u00a0"),
    "many spaces": lambda text: f" {text.replace(' ', '  ')}\n",
    "marks of direction": lambda text: f"\u200f{text}\u200e",
    "hamza forms": lambda text: text.replace("أ", "ا").replace("إ", "ا"),
    "tanwin": lambda text: text.replace("اً", "ا"),
    "a comma behind": lambda text: f"{text}،",
    "case": str.upper,
}


@pytest.mark.parametrize("change", SPELLINGS.values(), ids=SPELLINGS.keys())
@pytest.mark.parametrize(
    "expression",
    [
        "سه‌شنبه 25 مهرماه",
        "پنج‌شنبه هفته‌ گذشته",
        "الأربعاء 20 أغسطس (آب)",
        "قبل 17 عاماً",
        "Tuesday, Oct. 17",
        "اواخر تیر 1402",
    ],
)
def test_spelling_changes_nothing(expression: str, change):
    """Digits, letter forms, half-spaces, spaces, bidi marks, harakat and case make no difference."""
    assert (
        resolve_time(change(expression), published=WEDNESDAY)
        == resolve_time(expression, published=WEDNESDAY)
        is not None
    )


WORDS = sorted({word for row in ROWS for word in row["expression"].split()})
DAYS = st.dates(datetime.date(1930, 1, 1), datetime.date(2070, 1, 1))
LANGUAGES = st.sampled_from([None, "fa", "ar", "en", "ru"])


@given(st.text(max_size=60), DAYS, LANGUAGES)
@settings(max_examples=300, deadline=None)
def test_no_text_raises(text: str, published: datetime.date, language: str | None):
    """Any text at all gives an interval in order, or none."""
    found = resolve_time(text, published=published, language=language)
    assert found is None or found.start <= found.end


@given(st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join), DAYS, LANGUAGES)
@settings(max_examples=1000, deadline=None)
def test_no_mixture_of_time_words_raises(text: str, published: datetime.date, language: str | None):
    """Words of time in any order give an interval in order, or none, and days that are one day."""
    found = resolve_time(text, published=published, language=language)
    assert found is None or found.start <= found.end
    assert found is None or found.precision != "day" or found.start == found.end


@given(st.sampled_from([row for row in ROWS if row["start"] != "-"]), st.sampled_from(["xyzzy", "غفلت", "استقلال"]))
@settings(max_examples=200, deadline=None)
def test_a_word_that_is_not_understood_forbids_an_answer(row: dict[str, str], word: str):
    """A word that the lexicon does not have could change the day."""
    expression = f"{word} {row['expression']}"
    assert resolve_time(expression, published=row["published"], language=row["language"]) is None


@given(st.dates(datetime.date(1950, 1, 1), datetime.date(2050, 1, 1)))
@settings(max_examples=300, deadline=None)
def test_every_day_of_every_calendar_is_found_again(day: datetime.date):
    """A day written out in a calendar, with its year, is that day."""
    import hijridate
    import jdatetime

    jalali = jdatetime.date.fromgregorian(date=day)
    hijri = hijridate.Gregorian(day.year, day.month, day.day).to_hijri()
    texts = [day.isoformat(), f"{day.day}/{day.month}/{day.year}", f"{jalali.year}/{jalali.month:02}/{jalali.day:02}"]
    texts += [f"{hijri.day} {hijri.month_name('ar')} {hijri.year} هـ"]
    for text in texts:
        language = "ar" if text.endswith("هـ") else "fa"
        found = resolve_time(text, published=day, language=language)
        assert found is not None, text
        assert (found.start, found.end) == (day, day)


@pytest.mark.parametrize(
    ("expression", "language", "published", "ahead", "start"),
    [
        ("on Friday", "en", "2024-05-15", True, "2024-05-17"),
        ("on Friday", "en", "2024-05-15", None, "2024-05-10"),
        ("on Friday", "en", "2024-05-15", False, "2024-05-10"),
        ("Wednesday", "en", "2024-05-15", True, "2024-05-15"),
        ("last Friday", "en", "2024-05-15", True, "2024-05-10"),
        ("yesterday", "en", "2024-05-15", True, "2024-05-14"),
        ("یکشنبه", "fa", "2024-05-15", True, "2024-05-19"),
        ("on 3 March", "en", "2024-05-15", True, "2025-03-03"),
        ("in June", "en", "2024-05-15", True, "2024-06-01"),
        ("in May", "en", "2024-05-15", True, "2024-05-01"),
        ("in the middle of May", "en", "2024-05-05", True, "2024-05-11"),
        ("on 24 April", "en", "2024-05-15", True, "2024-04-24"),
        ("September 19, a Friday", "en", "2025-10-06", False, "2025-09-19"),
        ("On September 24, the second day of the new year", "en", "2025-10-06", False, "2025-09-24"),
        ("this Tuesday", "en", "2024-05-16", True, "2024-05-21"),
        ("هذا الثلاثاء", "ar", "2024-05-16", True, "2024-05-21"),
        ("scheduled for this Tuesday", "en", "2024-05-16", None, "2024-05-21"),
        ("this Tuesday", "en", "2024-05-16", None, "2024-05-14"),
        ("this Tuesday", "en", "2024-05-16", False, "2024-05-14"),
        ("this Thursday", "en", "2024-05-16", True, "2024-05-16"),
        ("this Friday", "en", "2024-05-16", True, "2024-05-17"),
        ("يوم 25 أفريل", "ar", "2025-04-23", None, "2025-04-25"),
        ("on 25 April", "en", "2025-04-23", None, "2025-04-25"),
        ("on 25 April", "en", "2025-01-23", None, "2024-04-25"),
        ("on 25 November", "en", "2025-04-23", None, "2024-11-25"),
        ("in May", "en", "2025-04-23", None, "2024-05-01"),
    ],
)
def test_what_is_planned_lies_ahead_and_a_day_in_a_few_weeks_too(
    expression: str, language: str, published: str, ahead: bool | None, start: str
) -> None:
    """Of what is said of a plan the next fitting day counts, unless the words look back; a day almost a year ago would have its year."""
    found = resolve_time(expression, published=published, language=language, ahead=ahead)
    assert found is not None and found.start.isoformat() == start


@pytest.mark.parametrize(
    ("expression", "language", "start"),
    [
        ("on 27 June", "en", "2023-06-27"),
        ("۷ تیر", "fa", "2023-06-28"),
        ("from 27 to 30 June", "en", "2023-06-27"),
        ("24 May", "en", "2023-05-24"),
        ("23 May", "en", "2024-05-23"),
        ("۲۸ اردیبهشت", "fa", "2024-05-17"),
        ("16 May", "en", "2024-05-16"),
        ("in June", "en", "2023-06-01"),
        ("in May", "en", "2024-05-01"),
        ("from 15 to 20 May", "en", "2024-05-15"),
        ("scheduled for 27 June", "en", "2024-06-27"),
        ("next Friday", "en", "2024-05-17"),
        ("on 27 June 2024", "en", "2024-06-27"),
        ("Thursday, 27 June", "en", "2024-06-27"),
        ("Friday, 2 August", "en", "2024-08-02"),
        ("Sunday, 15 December", "en", "2019-12-15"),
    ],
)
def test_what_has_happened_lies_behind_unless_a_day_comes_within_a_week(
    expression: str, language: str, start: str
) -> None:
    """Of what has happened the nearest past day counts; a day of next week, one with its weekday or said to be ahead, may come."""
    found = resolve_time(expression, published="2024-05-16", language=language, ahead=False)
    assert found is not None and found.start.isoformat() == start


@pytest.mark.parametrize("ahead", [None, False, True])
@pytest.mark.parametrize(
    ("expression", "start"),
    [
        ("Tuesday, May 15", "2024-05-15"),
        ("Friday, 14 May", "2024-05-14"),
        ("سه‌شنبه ۲۶ اردیبهشت", "2024-05-15"),
        ("Monday, 20 May 2025", "2025-05-20"),
    ],
)
def test_a_weekday_written_wrong_moves_no_day_near_by(expression: str, start: str, ahead: bool | None) -> None:
    """The day holds and says that its weekday is another one."""
    found = resolve_time(expression, published="2024-05-16", ahead=ahead)
    assert found is not None and (found.start.isoformat(), found.flags) == (start, ("weekday_contradicts",))


def test_without_a_day_of_publication_only_what_is_written_with_its_year_names_days():
    """Then it names the days that it names on any day; no other expression of the table names any."""
    known = 0
    for row in ROWS:
        told = resolve_time(row["expression"], published=row["published"], language=row["language"])
        found = days_named(row["expression"], published=None, language=row["language"])
        assert found is None or (found == told and found.year == "written"), row
        known += found is not None
    assert known > 200


@pytest.mark.parametrize(
    ("expression", "start"),
    [("14 May 2024", "2024-05-14"), ("۲۵ مهر ۱۴۰۲", "2023-10-17"), ("الثلاثاء 3 أيار/مايو 2022", "2022-05-03"), ("in 2019", "2019-01-01")],
)  # fmt: skip
def test_days_written_with_their_year_need_no_day_of_publication(expression: str, start: str):
    """The day of publication of a report is not always known."""
    found = days_named(expression, published=None)
    assert found is not None
    assert str(found.start) == start


@pytest.mark.parametrize(
    ("expression", "published"),
    [("30 الجاري", "2025-06-01"), ("۲۹ ماه جاری", "2025-05-22"), ("اسفند امسال", "2025-05-20"), ("ديسمبر الجاري", "2025-05-20")],
)  # fmt: skip
def test_what_has_happened_did_not_happen_on_a_day_of_this_month_or_year_that_is_far_off(
    expression: str, published: str
):
    """Then the expression means another one, and which is not sure."""
    assert resolve_time(expression, published=published, ahead=False) is None
    assert resolve_time(expression, published=published, ahead=True) is not None
