"""A run in the terminal: its documents as a list, one document as text with its facts below, wide or narrow."""

import io
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console
from typer.testing import CliRunner

from extractor import Document, Extraction, Extractor
from extractor.cli import export  # noqa: F401  (hangs `show` into the app)
from extractor.cli.app import app
from extractor.cli.tables import document_line, print_extraction
from extractor.errors import DocumentError

ROOT = Path(__file__).parent.parent
SEED = "fa-05-eu-sanctions"


@pytest.fixture(scope="module")
def extraction() -> Extraction:
    text = (ROOT / "seeds" / f"{SEED}.txt").read_text(encoding="utf-8")
    with Extractor(replay=ROOT / "cassettes", prompt="plover@1.0.0") as extractor:
        return extractor.extract(Document(id=SEED, text=text, title="T\x1b[31m"), published="2024-10-16")


def run_of(folder: Path, extraction: Extraction, count: int) -> Path:
    """A run folder with so many documents, d0, d1 and so on."""
    copies = [
        extraction.model_copy(update={"document": extraction.document.model_copy(update={"id": f"d{number}"})})
        for number in range(count)
    ]
    (folder / "results.jsonl").write_text("".join(c.model_dump_json() + "\n" for c in copies), encoding="utf-8")
    return folder


def printed(extraction: Extraction, width: int) -> str:
    out = io.StringIO()
    print_extraction(extraction, Console(file=out, width=width))
    return out.getvalue()


@pytest.mark.parametrize("width", [40, 80, 119])
def test_a_narrow_terminal_gets_a_block_for_each_event(extraction: Extraction, width: int) -> None:
    """No table; each day stands whole on a line, and nothing is wider than the terminal."""
    told = printed(extraction, width)
    assert "│" not in told
    lines = told.splitlines()
    assert sum(line.startswith("  evidence  ") for line in lines) == len(extraction.events) + len(extraction.relations)
    assert max(map(cell_len, lines)) <= width
    if width >= 80:
        first = lines.index("SANCTION/discontinue")
        block = [(line[2:10].strip(), line[12:].strip()) for line in lines[first + 1 : lines.index("", first)]]
        names = [name for name, _ in block if name]
        assert names == [name for name in ("who", "to whom", "where", "when", "evidence") if name in names]
        assert {"who", "to whom", "when", "evidence"} <= set(names)
        assert dict(block)["when"].endswith("= 2024-10-14")


def test_a_block_tells_place_source_and_what_is_not_asserted(extraction: Extraction) -> None:
    """The place and who says so have lines of their own; what is only planned or denied says so beside its type."""
    told = printed(extraction, 80)
    place = next(e.place for e in extraction.events if e.place)
    names = {entity.id: entity.name for entity in extraction.entities}
    assert f"  where     {names[place]}" in told
    assert told.count("\n  source    ") == sum(event.source is not None for event in extraction.events) + sum(
        relation.source is not None for relation in extraction.relations
    )
    for event in extraction.events:
        assert event.modality == "asserted" or f", {event.modality}\n" in told


def test_a_wide_terminal_gets_tables(extraction: Extraction) -> None:
    """From 120 columns on."""
    assert "│" in printed(extraction, 120)


def test_show_without_a_document_lists_those_of_the_run(extraction: Extraction, tmp_path: Path) -> None:
    """One line each, the id first, with no control character of a title live."""
    done = CliRunner().invoke(app, ["show", str(run_of(tmp_path, extraction, 3))])
    lines = done.stdout.splitlines()
    assert done.exit_code == 0 and [line.split("  ")[0] for line in lines] == ["d0", "d1", "d2"]
    assert document_line(extraction) == (
        f"{SEED}  fa  2024-10-16  {len(extraction.events)} events, {len(extraction.relations)} relations  T\\x1b[31m"
    )


@pytest.mark.parametrize(
    ("count", "end"), [(0, "It has none."), (2, "It has d0, d1."), (23, "d18, d19 and 3 more.")], ids=["0", "2", "23"]
)
def test_an_unknown_document_is_told_with_one_full_stop(
    extraction: Extraction, tmp_path: Path, count: int, end: str
) -> None:
    """With the documents that there are, however many."""
    done = CliRunner().invoke(app, ["show", str(run_of(tmp_path, extraction, count)), "--doc", "x"])
    assert isinstance(done.exception, DocumentError)
    assert str(done.exception).startswith("The run has no document 'x'.") and str(done.exception).endswith(end)
