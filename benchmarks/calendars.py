"""How many time expressions are resolved rightly, wrongly or not at all, with dateparser beside where it is installed.

    python benchmarks/calendars.py [table.tsv]

The table is `tests/tables/time_expressions.tsv` unless another is given: same columns. dateparser names
a moment, not an interval: its answer counts as right when it lies within the interval of the table.
"""

from __future__ import annotations

import csv
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from extractor.text import calendars

TABLE = Path(__file__).resolve().parents[1] / "tests" / "tables" / "time_expressions.tsv"
Row = dict[str, str]
Days = tuple[date, date] | None
Resolver = Callable[[Row], Days]


def main() -> None:
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else TABLE
    rows = list(csv.DictReader(path.read_text("utf-8").splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))
    print(f"{'':12} {'language':8} {'n':>5} {'right':>6} {'wrong':>6} {'unresolved':>10} {'share':>6} {'µs each':>8}")
    for name, resolver in resolvers().items():
        for language in sorted({row["language"] for row in rows}):
            print_line(name, language, [row for row in rows if row["language"] == language], resolver)


def print_line(name: str, language: str, rows: list[Row], resolver: Resolver) -> None:
    for row in rows[:20]:
        resolver(row)
    start = time.process_time()
    judged = Counter(judge(row, resolver(row), exact=name == "extractor") for row in rows)
    micros = (time.process_time() - start) / len(rows) * 1e6
    counts = f"{judged['right']:6} {judged['wrong']:6} {judged['unresolved']:10}"
    print(f"{name:12} {language:8} {len(rows):5} {counts} {judged['right'] / len(rows):6.3f} {micros:8.0f}")


def judge(row: Row, found: Days, *, exact: bool) -> str:
    if row["start"] == "-":
        return "wrong" if found else "right"
    if not found:
        return "unresolved"
    expected = date.fromisoformat(row["start"]), date.fromisoformat(row["end"])
    is_right = found == expected if exact else expected[0] <= found[0] <= expected[1]
    return "right" if is_right else "wrong"


def resolvers() -> dict[str, Resolver]:
    found: dict[str, Resolver] = {"extractor": ours}
    peer = dateparser()
    return found | {"dateparser": peer} if peer else found


def ours(row: Row) -> Days:
    interval = calendars.resolve_time(row["expression"], published=row["published"], language=row["language"])
    return (interval.start, interval.end) if interval else None


def dateparser() -> Resolver | None:
    try:
        import dateparser as peer
    except ImportError:
        print("dateparser is not installed: no comparison.", file=sys.stderr)
        return None

    def resolve(row: Row) -> Days:
        base = datetime.fromisoformat(row["published"])
        options = {"RELATIVE_BASE": base, "PREFER_DATES_FROM": "past"}
        found = peer.parse(row["expression"], languages=[row["language"]], settings=options)
        return (found.date(), found.date()) if found else None

    return resolve


if __name__ == "__main__":
    main()
