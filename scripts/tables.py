"""The tables of README and docs that hold figures, written anew from cassettes and gold, without network or key.

python scripts/tables.py

A table stands between `<!-- eval -->`, `<!-- compare: plover@1.0.0 plover@1.1.0 -->`, `<!-- annotators: fa-02 ar-02 -->` (the
seeds that are held out) or `<!-- planted -->` and a closing mark of the same name. The suite checks that what stands there is
what this writes.
"""

from __future__ import annotations

import importlib.util
import re
import sys
import tempfile
from pathlib import Path
from types import ModuleType

from extractor.evaluation.compare import compare_prompts
from extractor.evaluation.evaluate import evaluate, gold_name, read_results
from extractor.evaluation.facts import facts_of_extraction, facts_of_gold
from extractor.evaluation.gold import load_gold
from extractor.evaluation.render import LABELS, Sheet, comparison_markdown, main_sheet, markdown, number
from extractor.evaluation.scores import ASPECTS, Card, total
from extractor.models import Extraction
from extractor.runs.run import batch

ROOT = Path(__file__).resolve().parents[1]
SEEDS, CASSETTES = ROOT / "seeds", ROOT / "cassettes"
PLANTED, PLANTED_CASSETTES = ROOT / "tests/planted", ROOT / "tests/planted-cassettes"
FILES = (ROOT / "README.md", ROOT / "docs/quality.md")
MARKED = re.compile(r"(<!-- (eval|compare|annotators|planted)(?:: (.*?))? -->\n)(.*?)(\n?<!-- /\2 -->)", re.DOTALL)


def table(kind: str, arguments: str) -> str:
    """One table: `eval` of the newest prompt, `annotators` beside it, `compare` of some, what came of `planted` words."""
    if kind == "compare":
        prompts = arguments.split()
        return comparison_markdown(compare_prompts(SEEDS, prompts, CASSETTES, SEEDS))
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder, "run")
        if kind == "eval":
            batch(SEEDS, out=run, replay=CASSETTES, cache=False)
            return markdown(main_sheet(evaluate(read_results(run), SEEDS)))
        if kind == "annotators":
            batch(SEEDS, out=run, replay=CASSETTES, cache=False)
            return markdown(annotators_sheet(list(read_results(run)), arguments.split()))
        batch(PLANTED, out=run, replay=PLANTED_CASSETTES, cache=False)
        planted = _script("planted")
        found: str = planted.table(planted.outcomes(run, PLANTED / "expected.gold.json"))
        return found


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


def _against_annotators(extraction: Extraction) -> tuple[Card, Card, Card]:
    """The extraction against A and against B, and A against B."""
    adjudicate = _script("adjudicate")
    document, name = extraction.document, gold_name(extraction.document.id)
    a, b = (load_gold(SEEDS / "annotations" / who / f"{name}.gold.json") for who in "AB")
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
