"""The run loses nothing, does nothing twice, and writes results in the order of the input."""

import asyncio
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from extractor.errors import AuthenticationFailed, ConnectionFailed, DocumentError, RunLocked, ServerFault, Unreadable
from extractor.models import Document, Extraction, Provenance
from extractor.runs.breaker import Breaker
from extractor.runs.entries import Entry, entries_of
from extractor.runs.finished import Finished, finished
from extractor.runs.ledger import Ledger
from extractor.runs.results import ResultsFile
from extractor.runs.runner import Runner, document_digest


def extraction(document: Document, note: str = "") -> Extraction:
    provenance = Provenance(
        extractor="0", prompt="p@1", prompt_digest="", ontology="o@1", ontology_digest="", model="m", models_answered=("m",),
        document_digest=document.digest, fingerprints=(), notes=(note,) if note else (),
    )  # fmt: skip
    return Extraction(document=document, provenance=provenance)


def documents(*names: str) -> list[Document]:
    return [Document(id=name, text=f"text of {name}") for name in names]


class Desk:
    """Stands in for the pipeline: counts what it is asked, fails and dawdles as told."""

    def __init__(self, faults: dict[str, Exception] | None = None, slow: dict[str, float] | None = None) -> None:
        self.asked: list[str] = []
        self.faults = faults or {}
        self.slow = slow or {}

    async def __call__(self, document: Document) -> Finished:
        self.asked.append(document.id)
        await asyncio.sleep(self.slow.get(document.id, 0))
        if document.id in self.faults:
            raise self.faults[document.id]
        return finished(extraction(document))


def run(out: Path, source: Iterable[Document] | Iterable[Entry], desk: Callable[..., Any], **options: Any) -> Runner:
    """One run over the documents, closed again."""
    ledger = Ledger(out)
    try:
        options.setdefault("breaker", Breaker(patience=0))
        runner = Runner(
            ledger,
            ResultsFile(out / "results.jsonl", ledger),
            desk,
            options.pop("identity", "i"),
            **({"concurrency": 3} | options),
        )
        items = list(source)
        entries = entries_of(items) if items and isinstance(items[0], Document) else iter(items)  # type: ignore[arg-type]
        asyncio.run(runner.run(entries))  # type: ignore[arg-type]
        return runner
    finally:
        ledger.close()


def ids(out: Path) -> list[str]:
    return [json.loads(line)["document"]["id"] for line in (out / "results.jsonl").read_bytes().splitlines()]


def states(out: Path) -> dict[str, str]:
    ledger = Ledger(out)
    try:
        return {row.key: row.state for row in ledger.rows()}
    finally:
        ledger.close()


def test_results_stand_in_the_order_of_the_input(tmp_path: Path) -> None:
    """A slow document holds back writing, not work."""
    desk = Desk(slow={"a": 0.05})
    run(tmp_path, documents(*"abcdef"), desk)
    assert ids(tmp_path) == list("abcdef")
    assert desk.asked.index("d") < 6


def test_a_second_run_asks_nothing(tmp_path: Path) -> None:
    """Finished documents are skipped and the file keeps its bytes."""
    run(tmp_path, documents(*"abc"), Desk())
    before = (tmp_path / "results.jsonl").read_bytes()
    again = Desk()
    assert run(tmp_path, documents(*"abc"), again).progress.skipped == 3
    assert (again.asked, (tmp_path / "results.jsonl").read_bytes()) == ([], before)


def test_new_documents_are_added_in_their_place(tmp_path: Path) -> None:
    """Inserting, reordering and removing ask only for what is new."""
    run(tmp_path, documents(*"ace"), Desk())
    desk = Desk()
    run(tmp_path, documents(*"abed"), desk)
    assert sorted(desk.asked) == ["b", "d"]
    assert ids(tmp_path) == list("abed")


def test_a_changed_document_is_asked_again(tmp_path: Path) -> None:
    """The same key with another text is another document."""
    run(tmp_path, documents("a", "b"), Desk())
    desk = Desk()
    run(tmp_path, [Document(id="a", text="changed"), *documents("b")], desk)
    assert desk.asked == ["a"]


def test_another_prompt_is_another_identity(tmp_path: Path) -> None:
    """What was answered under other settings is asked again."""
    run(tmp_path, documents("a", "b"), Desk())
    desk = Desk()
    run(tmp_path, documents("a", "b"), desk, identity="other")
    assert sorted(desk.asked) == ["a", "b"]


def test_a_poison_document_fails_alone(tmp_path: Path) -> None:
    """The others are done; the failed one is tried again only when that is asked for."""
    faults: dict[str, Exception] = {"b": Unreadable("not JSON"), "c": ServerFault("500"), "d": ZeroDivisionError()}
    run(tmp_path, documents(*"abcdef"), Desk(faults))
    assert ids(tmp_path) == list("aef")
    assert {k for k, v in states(tmp_path).items() if v == "failed"} == {"b", "c", "d"}
    quiet = Desk()
    run(tmp_path, documents(*"abcdef"), quiet)
    assert quiet.asked == []
    again = Desk()
    run(tmp_path, documents(*"abcdef"), again, retry_failed=True)
    assert (sorted(again.asked), ids(tmp_path)) == (["b", "c", "d"], list("abcdef"))


def test_a_wrong_key_stops_the_run_and_fails_nobody(tmp_path: Path) -> None:
    """What the next document would meet as well ends the run; all that were not done are pending."""
    fault = AuthenticationFailed("no")
    desk = Desk(dict.fromkeys("abcdefghij", fault))
    runner = run(tmp_path, documents(*"abcdefghij"), desk, concurrency=2)
    assert (runner.stopped_by, len(desk.asked) <= 2) == (fault, True)
    assert set(states(tmp_path).values()) == {"pending"}


def test_a_dead_endpoint_fails_nobody(tmp_path: Path) -> None:
    """Where nothing ever answers, the documents stay pending and few are tried."""
    names = [f"{n:03}" for n in range(100)]
    desk = Desk({name: ConnectionFailed("refused") for name in names})
    runner = run(tmp_path, documents(*names), desk, concurrency=4)
    assert isinstance(runner.stopped_by, ConnectionFailed)
    assert len(desk.asked) <= 8 + 4
    assert "failed" not in states(tmp_path).values()


def test_the_run_waits_for_an_endpoint_that_comes_back(tmp_path: Path) -> None:
    """The breaker pauses, tries one again, and goes on; nothing is lost and the order stays."""
    names = [f"{n:03}" for n in range(40)]
    desk = Desk({name: ConnectionFailed("refused") for name in names})
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        if seconds >= 1:
            waits.append(seconds)
            if len(waits) == 2:
                desk.faults.clear()
        await asyncio.sleep(0)

    runner = run(tmp_path, documents(*names), desk, concurrency=4, breaker=Breaker(patience=100), sleep=sleep)
    assert runner.stopped_by is None
    assert waits == [5.0, 10.0]
    assert ids(tmp_path) == names


def test_a_document_that_cannot_be_read_fails_before_it_is_asked(tmp_path: Path) -> None:
    """The failure says at which stage it was."""

    def broken() -> Document:
        raise DocumentError("a.bin looks binary.", hint="Give plain text.")

    desk = Desk()
    run(tmp_path, [Entry("a.bin", "1", broken), *entries_of(documents("b"))], desk)
    ledger = Ledger(tmp_path)
    assert desk.asked == ["b"]
    assert (
        json.loads(ledger._quick.execute("SELECT error FROM documents WHERE key = 'a.bin'").fetchone()[0])["stage"]
        == "read"
    )
    ledger.close()


def test_a_second_process_is_told_so(tmp_path: Path) -> None:
    """A run folder is held by one at a time, and the message names who holds it."""
    ledger = Ledger(tmp_path)
    with pytest.raises(RunLocked, match="process"):
        Ledger(tmp_path)
    ledger.close()
    Ledger(tmp_path).close()


@pytest.mark.parametrize("cut", [1, 7, 200, 10_000])
def test_a_results_file_cut_anywhere_is_made_whole(tmp_path: Path, cut: int) -> None:
    """Lines that are gone or half are written anew out of the ledger, without a question."""
    run(tmp_path, documents(*"abcdef"), Desk())
    path = tmp_path / "results.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole[: max(0, len(whole) - cut)])
    desk = Desk()
    run(tmp_path, documents(*"abcdef"), desk)
    assert (desk.asked, path.read_bytes()) == ([], whole)


def test_half_a_line_behind_the_last_is_cut_off(tmp_path: Path) -> None:
    """What a kill left behind is not a result."""
    run(tmp_path, documents(*"ab"), Desk())
    path = tmp_path / "results.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"document":{"id":"c"')
    run(tmp_path, documents(*"ab"), Desk())
    assert path.read_bytes() == whole


def test_stopping_writes_what_is_done_and_a_later_run_mends_the_order(tmp_path: Path) -> None:
    """Documents behind one that was cut short are in the file at once; the next run puts that one in its place."""
    ledger = Ledger(tmp_path)
    desk = Desk(slow={"a": 30})
    runner = Runner(ledger, ResultsFile(tmp_path / "results.jsonl", ledger), desk, "i", concurrency=2)

    async def stop_soon() -> None:
        task = asyncio.create_task(runner.run(entries_of(documents(*"abc"))))
        while runner.progress.done < 2:
            await asyncio.sleep(0.01)
        runner.stop("SIGINT")
        runner.cancel()
        await task

    asyncio.run(stop_soon())
    ledger.close()
    assert (ids(tmp_path), runner.progress.cut_short) == (["b", "c"], 1)
    assert states(tmp_path) == {"a": "pending", "b": "empty", "c": "empty"}
    run(tmp_path, documents(*"abc"), Desk())
    assert ids(tmp_path) == list("abc")


def test_a_document_that_kills_the_process_is_given_up(tmp_path: Path) -> None:
    """After five deaths of processes that got nothing done it fails, and says so; the others go on."""
    for _ in range(5):
        ledger = Ledger(tmp_path)
        key = "killer"
        digest = document_digest(documents(key)[0])
        identity = Runner(ledger, None, Desk(), "i", concurrency=1).identity(digest)  # type: ignore[arg-type]
        asyncio.run(ledger.begin(key, 0, None, digest, identity))
        ledger.close()
    desk = Desk()
    run(tmp_path, documents("killer", "b"), desk)
    assert (desk.asked, states(tmp_path)["killer"]) == (["b"], "failed")
