"""Progress: a line that a person can read, JSON that a machine can, nothing of a document in either."""

import io
import json

import pytest

from extractor.cli.progress import Events, Lines, describe, shower
from extractor.llm.base import Meter
from extractor.runs.progress import Progress

PROGRESS = Progress(met=20, skipped=3, done=12, failed=1, events=80, in_flight=4, cost=0.12)
METER = Meter(calls=13, cache_hits=5, prompt_tokens=40_000, completion_tokens=1000, asking=4)


def test_a_line_tells_what_there_is() -> None:
    """And leaves out what there is not."""
    line = describe(PROGRESS, METER, 6.0)
    assert line == "12 done, 3 skipped, 1 failed, 80 events, 41,000 tokens, $0.12, 5 cached, 4 at once, 2.0/s"
    assert "$0.12 of about $0.97, " in describe(PROGRESS, METER, 6.0, total=100)
    assert describe(Progress(), Meter(), 0.0) == "0 done, 0 events, 0.0/s"
    assert "Trying again in 5 s" in describe(Progress(paused="Refused. Trying again in 5 s."), Meter(), 1.0)


def test_events_are_one_json_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """On stderr, so that stdout stays free."""
    Events().show(PROGRESS, METER, 6.04, last=False)
    Events().show(PROGRESS, METER, 7.0, last=True)
    captured = capsys.readouterr()
    first, last = (json.loads(line) for line in captured.err.splitlines())
    assert (first["event"], first["done"], first["calls"], first["seconds"]) == ("progress", 12, 13, 6.0)
    assert (last["event"], captured.out) == ("end", "")


def test_lines_come_now_and_then_and_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    """Not at every look."""
    lines = Lines()
    for seconds in (0.2, 5.0, 10.1, 15.0, 20.2):
        lines.show(PROGRESS, METER, seconds, last=False)
    lines.show(PROGRESS, METER, 21.0, last=True)
    assert len(capsys.readouterr().err.splitlines()) == 3


def test_the_bar_draws_and_quiet_says_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A terminal gets a bar; markup in a message is text."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    with shower(20, quiet=True, as_json=False) as quiet:
        quiet.show(PROGRESS, METER, 1.0, last=True)
    assert capsys.readouterr().err == ""
    screen = Terminal()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setenv("COLUMNS", "160")
    with shower(20, quiet=False, as_json=False) as bar:
        bar.show(PROGRESS, METER, 1.0, last=True)
        bar.show(Progress(paused="[red]down[/red] Trying again in 5 s."), METER, 1.0, last=True)
    assert "16/20" in screen.getvalue() and "[red]down[/red]" in screen.getvalue()
