"""How good the recorded answers are, as README and docs say it: from the cassettes alone, the very figures that stand there."""

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from extractor.evaluation.evaluate import Evaluation, evaluate, read_results
from extractor.evaluation.gold import check_gold, load_gold
from extractor.ontology import load_ontology
from extractor.prompts import released_digests
from extractor.runs.run import batch

ROOT = Path(__file__).parent.parent
RELEASED = sorted(name.removesuffix(".md").rsplit("/", 1)[1] for name in released_digests(ROOT / "prompts"))
# What a change of code may not take away. The figures themselves stand in the tables; this is well below them.
FLOOR = {
    "f1.entities": 0.93, "f1.events": 0.97, "f1.typed": 0.96, "f1.arguments": 0.88, "f1.dates": 0.91, "f1.source": 0.94,
    "f1.relations": 0.78, "f1.evidence": 0.93,
}  # fmt: skip


@pytest.fixture(scope="module")
def tables(script: Callable[[str], ModuleType]) -> ModuleType:
    return script("tables")


@pytest.fixture(scope="module")
def evaluation(tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    """The seeds under the newest released prompt, as `make demo` runs them, against their gold."""
    out = tmp_path_factory.mktemp("quality") / "run"
    summary = batch(ROOT / "seeds", out=out, replay=ROOT / "cassettes", cache=False)
    assert summary.states == {"done": 22}
    return evaluate(read_results(out), ROOT / "seeds")


@pytest.mark.parametrize("name", ["README.md", "docs/quality.md"])
def test_the_tables_that_are_shown_are_the_program_s_own(tables: ModuleType, name: str) -> None:
    """Character for character, so that no figure outlives a change of code, prompt, gold or recording (`scripts/tables.py`)."""
    text = (ROOT / name).read_text(encoding="utf-8")
    assert tables.MARKED.search(text)
    assert tables.rewritten(text) == text


def test_all_released_versions_are_compared(tables: ModuleType) -> None:
    """In the docs, in their order."""
    marked = tables.MARKED.findall((ROOT / "docs/quality.md").read_text(encoding="utf-8"))
    compared = [arguments.split() for _, kind, arguments, _, _ in marked if kind == "compare"]
    assert compared == [[f"plover@{version}" for version in RELEASED]]


def test_the_annotators_are_shown_over_the_held_out_half_too(tables: ModuleType) -> None:
    """Each name begins exactly one seed; the other half, on which the prompt was tuned, is not among them."""
    marked = tables.MARKED.findall((ROOT / "docs/quality.md").read_text(encoding="utf-8"))
    (held,) = (arguments.split() for _, kind, arguments, _, _ in marked if kind == "annotators")
    seeds = [item["id"] for item in json.loads((ROOT / "seeds/index.json").read_text(encoding="utf-8"))]
    assert [len([seed for seed in seeds if seed.startswith(name)]) for name in held] == [1] * 10


def test_the_newest_prompt_does_not_fall_behind(evaluation: Evaluation) -> None:
    """`extractor eval --min` as anybody's CI would use it."""
    assert {
        name: evaluation.figure(name) for name, least in FLOOR.items() if (evaluation.figure(name) or 0) < least
    } == {}


def test_every_released_version_has_its_recordings() -> None:
    """All seeds under each, and nothing else beside them."""
    seeds = {item["id"] for item in json.loads((ROOT / "seeds/index.json").read_text(encoding="utf-8"))}
    for version in RELEASED:
        folder = ROOT / "cassettes" / f"plover-{version}"
        assert {path.stem for path in folder.glob("*.json")} == {*seeds, "_shared"}, version
    assert {path.name for path in (ROOT / "cassettes").iterdir()} == {f"plover-{version}" for version in RELEASED}


@pytest.mark.parametrize(
    ("name", "number", "annotators"),
    [("heldout", 10, "ABC"), ("unread", 6, "AB"), ("fresh", 8, "AB"), ("blind", 8, "AB")],
)
def test_the_held_out_reports_are_whole(name: str, number: int, annotators: str) -> None:
    """Each has its annotations and the gold made of the first two, which is sound; nothing lies beside them unseen."""
    folder = ROOT / "tests" / name
    known = {item["id"] for item in json.loads((folder / "index.json").read_text(encoding="utf-8"))}
    assert {path.stem for path in folder.glob("*.txt")} == known and len(known) == number
    assert {path.name for path in (folder / "annotations").iterdir()} == set(annotators)
    for place in (folder, *(folder / "annotations" / who for who in annotators)):
        assert {path.name.removesuffix(".gold.json") for path in place.glob("*.gold.json")} == known
    for one in known:
        text = (folder / f"{one}.txt").read_text(encoding="utf-8")
        assert check_gold(load_gold(folder / f"{one}.gold.json"), text, load_ontology("plover@1")) == []


@pytest.mark.parametrize(
    ("name", "versions"),
    [
        ("heldout", {"1.3.0", "1.4.0", "1.5.0", "1.6.0"}),
        ("unread", {"1.3.0", "1.4.0", "1.5.0", "1.6.0"}),
        ("fresh", {"1.4.0", "1.5.0", "1.6.0"}),
        ("blind", {"1.4.0", "1.5.0", "1.6.0"}),
    ],
)
def test_the_held_out_reports_have_their_recordings(name: str, versions: set[str]) -> None:
    """All of them under the versions that are compared, and nothing else."""
    known = {path.stem for path in (ROOT / "tests" / name).glob("*.txt")}
    recorded = ROOT / "tests" / f"{name}-cassettes"
    assert {path.name for path in recorded.iterdir()} == {f"plover-{version}" for version in versions}
    for folder in recorded.iterdir():
        assert {path.stem for path in folder.glob("*.json")} == {*known, "_shared"}
