"""The tables of README and docs that hold figures, written anew from cassettes and gold, without network or key.

python scripts/tables.py

A table stands between `<!-- eval -->`, `<!-- compare: plover@1.0.0 plover@1.1.0 -->` or `<!-- planted -->` and a closing mark of
the same name. The suite checks that what stands there is what this writes.
"""

from __future__ import annotations

import importlib.util
import re
import sys
import tempfile
from pathlib import Path
from types import ModuleType

from extractor.evaluation.compare import compare_prompts
from extractor.evaluation.evaluate import evaluate, read_results
from extractor.evaluation.render import comparison_sheet, main_sheet, markdown
from extractor.runs.run import batch

ROOT = Path(__file__).resolve().parents[1]
SEEDS, CASSETTES = ROOT / "seeds", ROOT / "cassettes"
PLANTED, PLANTED_CASSETTES = ROOT / "tests/planted", ROOT / "tests/planted-cassettes"
FILES = (ROOT / "README.md", ROOT / "docs/quality.md")
MARKED = re.compile(r"(<!-- (eval|compare|planted)(?:: (.*?))? -->\n)(.*?)(\n?<!-- /\2 -->)", re.DOTALL)


def table(kind: str, arguments: str) -> str:
    """One table: `eval` of the newest released prompt, `compare` of some, or what came of planted instructions."""
    if kind == "compare":
        prompts = arguments.split()
        return markdown(comparison_sheet(compare_prompts(SEEDS, prompts, CASSETTES, SEEDS)))
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder, "run")
        if kind == "eval":
            batch(SEEDS, out=run, replay=CASSETTES, cache=False)
            return markdown(main_sheet(evaluate(read_results(run), SEEDS)))
        batch(PLANTED, out=run, replay=PLANTED_CASSETTES, cache=False)
        planted = _script("planted")
        found: str = planted.table(planted.outcomes(run, PLANTED / "expected.gold.json"))
        return found


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
