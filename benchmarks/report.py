"""How long a report of many documents takes to write and to open in Chromium.

python benchmarks/report.py [--documents 2000]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

from playwright.sync_api import sync_playwright

from extractor import Extraction
from extractor.evaluation.evaluate import read_results
from extractor.ontology import load_ontology
from extractor.report.page import render_page
from extractor.runs.run import batch

ROOT = Path(__file__).parent.parent


def many(extractions: list[Extraction], number: int) -> Iterator[Extraction]:
    for place, extraction in enumerate(islice(cycle(extractions), number)):
        yield extraction.model_copy(update={"document": extraction.document.model_copy(update={"id": f"d{place}"})})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=2000)
    documents = parser.parse_args().documents
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        batch(ROOT / "seeds", out=Path(folder, "run"), replay=ROOT / "cassettes", cache=False, prompt="plover@1.0.0")
        seeds = [e for e in read_results(Path(folder, "run")) if len(e.document.text) < 10_000]
        started = time.perf_counter()
        path = Path(folder, "report.html")
        with path.open("w", encoding="utf-8") as file:
            file.writelines(render_page(many(seeds, documents), {"title": "many"}, load_ontology("plover")))
        written = time.perf_counter() - started
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        times = []
        for _ in range(3):
            page = browser.new_page()
            started = time.perf_counter()
            page.goto(path.as_uri())
            page.wait_for_selector("html[data-ready]")
            times.append(time.perf_counter() - started)
            started = time.perf_counter()
            page.select_option("select[name=type]", "PROTEST")
            filtered = time.perf_counter() - started
            page.close()
        size = path.stat().st_size / 1e6
        print(
            f"{documents} documents, {size:.0f} MB: written in {written:.1f} s, open in {sorted(times)[1]:.2f} s, filtered in {filtered:.2f} s"
        )
        browser.close()


if __name__ == "__main__":
    main()
