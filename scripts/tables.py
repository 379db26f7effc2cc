"""The tables of README and docs that hold figures, written anew from cassettes and gold, without network or key.

python scripts/tables.py

A table stands between `<!-- eval -->`, `<!-- compare: plover@1.0.0 plover@1.1.0 -->`, `<!-- annotators: fa-02 ar-02 -->` (the
seeds that are held out), `<!-- heldout: plover@1.3.0 -->`, `<!-- shares: plover@1.3.0 -->` (both of the reports of
tests/heldout), `<!-- versions: unread plover@1.3.0 plover@1.4.0 -->` (those of tests/unread),
`<!-- leaning: plover@1.4.0 plover@1.5.0 -->` (all reports that both were recorded on) or `<!-- planted -->` and a closing mark
of the same name. The suite checks that what stands there is what this writes.
"""

from __future__ import annotations

import importlib.util
import re
import sys
import tempfile
from functools import reduce
from pathlib import Path
from types import ModuleType
from typing import Any

from extractor.evaluation.compare import compare_prompts
from extractor.evaluation.evaluate import evaluate, read_results
from extractor.evaluation.facts import facts_of_extraction, facts_of_gold
from extractor.evaluation.gold import load_gold
from extractor.evaluation.gold_folder import gold_name
from extractor.evaluation.render import (
    LABELS,
    Sheet,
    comparison_markdown,
    main_sheet,
    markdown,
    number,
    share_sheet,
    spread,
)
from extractor.evaluation.scores import ASPECTS, Card, interval, total
from extractor.llm.cassette import Reel
from extractor.models import Extraction
from extractor.runs.run import batch

ROOT = Path(__file__).resolve().parents[1]
SEEDS, CASSETTES = ROOT / "seeds", ROOT / "cassettes"
PLANTED, PLANTED_CASSETTES = ROOT / "tests/planted", ROOT / "tests/planted-cassettes"
HELDOUT, HELDOUT_CASSETTES = ROOT / "tests/heldout", ROOT / "tests/heldout-cassettes"
# How the held-out reports were recorded: so often each, under these seeds.
PASSES, SEED = 3, 1
FILES = (ROOT / "README.md", ROOT / "docs/quality.md")
MARKED = re.compile(
    r"(<!-- (eval|compare|annotators|heldout|shares|versions|leaning|planted)(?:: (.*?))? -->\n)(.*?)(\n?<!-- /\2 -->)",
    re.DOTALL,
)


def table(kind: str, arguments: str) -> str:
    """One table: `eval` of the newest prompt, `annotators` beside it, `compare` of some, the others of their folders."""
    if kind == "compare":
        prompts = arguments.split()
        return comparison_markdown(compare_prompts(SEEDS, prompts, CASSETTES, SEEDS))
    if kind == "eval":
        return markdown(main_sheet(evaluate(extracted(SEEDS, CASSETTES), SEEDS)))
    if kind == "annotators":
        return markdown(annotators_sheet(extracted(SEEDS, CASSETTES), arguments.split()))
    if kind == "heldout":
        return markdown(heldout_sheet(arguments))
    if kind == "shares":
        passes = extracted(HELDOUT, HELDOUT_CASSETTES, prompt=arguments, seed=SEED, passes=PASSES)
        return markdown(share_sheet(evaluate(passes, HELDOUT)))
    if kind == "versions":
        name, *prompts = arguments.split()
        return markdown(versions_sheet(name, prompts))
    if kind == "leaning":
        return markdown(leaning_sheet(arguments.split()))
    return planted_table()


def extracted(folder: Path, cassettes: Path, **settings: Any) -> list[Extraction]:
    """The extractions of a folder's documents, from recordings."""
    with tempfile.TemporaryDirectory() as place:
        batch(folder, out=Path(place, "run"), replay=cassettes, cache=False, **settings)
        return list(read_results(Path(place, "run")))


def planted_table() -> str:
    planted = _script("planted")
    with tempfile.TemporaryDirectory() as place:
        batch(PLANTED, out=Path(place, "run"), replay=PLANTED_CASSETTES, cache=False)
        found: str = planted.table(planted.outcomes(Path(place, "run"), PLANTED / "expected.gold.json"))
    return found


def heldout_sheet(prompt: str) -> Sheet:
    """Asked once, asked three times; a third annotator against the same gold; the two, on the footing of `annotators`."""
    once = extracted(HELDOUT, HELDOUT_CASSETTES, prompt=prompt, seed=SEED)
    passes = extracted(HELDOUT, HELDOUT_CASSETTES, prompt=prompt, seed=SEED, passes=PASSES)
    one, several = (evaluate(found, HELDOUT) for found in (once, passes))
    third = [_third_annotator(extraction) for extraction in once]
    against = list(zip(*(_against_annotators(extraction, HELDOUT) for extraction in once), strict=True))
    header = (
        "F1", "one pass", "95 %", "three passes", "a third annotator", "prompt against A", "prompt against B", "A against B"
    )  # fmt: skip
    rows = (
        (LABELS[a], number(one.f1(a)), spread(interval(one.cards, a)), number(several.f1(a)), number(total(third, a).f1),
         *(number(total(cards, a).f1) for cards in against))
        for a in ASPECTS
    )  # fmt: skip
    characters = _characters(HELDOUT_CASSETTES, prompt)
    last = ("answer characters a document", f"{characters:,.0f}", "", f"{characters * PASSES:,.0f}", "", "", "", "")
    return Sheet("Held out", header, (*rows, last))


def versions_sheet(name: str, prompts: list[str]) -> Sheet:
    """Several prompts over the reports of tests/NAME, each asked once; one annotator against the other, everything demanded."""
    folder, cassettes = ROOT / "tests" / name, ROOT / "tests" / f"{name}-cassettes"
    runs = [extracted(folder, cassettes, prompt=prompt, seed=SEED) for prompt in prompts]
    found = [evaluate(run, folder) for run in runs]
    between = [_against_annotators(extraction, folder)[2] for extraction in runs[0]]
    header = ("F1", *(cell for prompt in prompts for cell in (prompt, "95 %")), "A against B")
    rows = (
        (LABELS[a], *(cell for one in found for cell in (number(one.f1(a)), spread(interval(one.cards, a)))),
         number(total(between, a).f1))
        for a in ASPECTS
    )  # fmt: skip
    sizes = (cell for prompt in prompts for cell in (f"{_characters(cassettes, prompt):,.0f}", ""))
    return Sheet(name, header, (*rows, ("answer characters a document", *sizes, "")))


def leaning_sheet(prompts: list[str]) -> Sheet:
    """Times that name no days by themselves: how many of each prompt's are right, and how many are wrong instead of open."""
    script = _script("leaning")
    sets: list[tuple[str, Path, Path, dict[str, Any]]] = [("seeds", SEEDS, CASSETTES, {})]
    sets += [
        (f"tests/{name}", ROOT / "tests" / name, ROOT / "tests" / f"{name}-cassettes", {"seed": SEED})
        for name in ("heldout", "unread", "fresh", "blind")
    ]
    counts = [
        [script.leaning(extracted(folder, cassettes, prompt=prompt, **more), folder) for prompt in prompts]
        for _, folder, cassettes, more in sets
    ]
    counts.append([reduce(script.Counts.plus, column) for column in zip(*counts, strict=True)])
    header = ("times that lean on another day", *(cell for prompt in prompts for cell in (f"{prompt}: right", "wrong")))
    names = [*(name for name, *_ in sets), "all"]
    rows = (
        (name, *(cell for one in row for cell in (f"{one.right} of {one.all}", str(one.wrong))))
        for name, row in zip(names, counts, strict=True)
    )
    return Sheet("Leaning", header, tuple(rows))


def _characters(cassettes: Path, prompt: str) -> float:
    """Characters of an answer, on average."""
    reel = Reel(cassettes / prompt.replace("@", "-")).load()
    answers = [len(reply.text) for replies in reel.replies.values() for reply in replies]
    return sum(answers) / len(answers)


def _third_annotator(extraction: Extraction) -> Card:
    """All that C wrote against the gold that was made of A and B."""
    adjudicate = _script("adjudicate")
    document, name = extraction.document, gold_name(extraction.document.id)
    gold, third = (load_gold(HELDOUT / place / f"{name}.gold.json") for place in ("", "annotations/C"))
    wrote = adjudicate.demanded(facts_of_gold(third, document))
    card: Card = adjudicate.scored(wrote, facts_of_gold(gold, document), document)
    return card


def annotators_sheet(extractions: list[Extraction], held_out: list[str]) -> Sheet:
    """F1 of the extraction against each annotator alone, beside one annotator against the other: everything demanded.

    Over all seeds, and over those whose names begin as one of `held_out`.
    """
    rows = [_against_annotators(extraction) for extraction in extractions]
    held = [row for row in rows if any(row[0].document.startswith(name) for name in held_out)]
    pairs = ("prompt against A", "prompt against B", "A against B")
    groups = [list(zip(*group, strict=True)) for group in (rows, held) if group]
    header = ("F1", *(f"{pair} ({len(group[0])})" for group in groups for pair in pairs))
    cells = ((LABELS[a], *(number(total(cards, a).f1) for group in groups for cards in group)) for a in ASPECTS)
    return Sheet("Beside the annotators", header, tuple(cells))


def _against_annotators(extraction: Extraction, folder: Path = SEEDS) -> tuple[Card, Card, Card]:
    """The extraction against A and against B, and A against B."""
    adjudicate = _script("adjudicate")
    document, name = extraction.document, gold_name(extraction.document.id)
    a, b = (load_gold(folder / "annotations" / who / f"{name}.gold.json") for who in "AB")
    found, first = facts_of_extraction(extraction), adjudicate.demanded(facts_of_gold(a, document))
    sides = ((found, a), (found, b), (first, b))
    one, two, between = (adjudicate.held_against(facts, annotation, document) for facts, annotation in sides)
    return one, two, between


def rewritten(text: str) -> str:
    """The text with every marked table as it is today."""
    return MARKED.sub(lambda m: f"{m[1]}{table(m[2], m[3] or '')}\n{m[5].lstrip()}", text)


def _script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"scripts_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def main() -> None:
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        path.write_text(rewritten(text), encoding="utf-8")
        print(f"{path.relative_to(ROOT)}: {len(MARKED.findall(text))} tables")


if __name__ == "__main__":
    main()
