"""What a batch says at its end: what it left out, what is of an earlier run, and what it would not do."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from extractor import fake_faults as faults
from extractor.fake_endpoint import FakeEndpoint

EMPTY = {"entities": [], "events": [], "relations": []}


def batch(folder: Path, out: Path, url: str, *more: str) -> tuple[int, str]:
    command = [sys.executable, "-c", "from extractor.cli import main; main()", "batch", str(folder), "--out", str(out)]
    env = os.environ | {"OPENAI_API_KEY": "sk-test"}
    done = subprocess.run(
        [*command, "--base-url", url, *more], capture_output=True, text=True, env=env, timeout=90, check=False
    )
    return done.returncode, done.stderr


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "reports"
    place.mkdir()
    for name in ("a.txt", "b.txt"):
        (place / name).write_text(f"The minister met the ambassador, report {name}.", encoding="utf-8")
    return place


def test_a_folder_without_documents_does_not_empty_the_results(folder: Path, tmp_path: Path) -> None:
    """It is rather not mounted, or the pattern mistyped: nothing is changed, and the run says so."""
    out = tmp_path / "run"
    with FakeEndpoint(EMPTY) as endpoint:
        assert batch(folder, out, endpoint.base_url)[0] == 0
        before = (out / "results.jsonl").read_bytes()
        code, said = batch(folder, out, endpoint.base_url, "--include", "nope*")
        assert code == 2 and "the run folder holds 2" in said and "--include" in said
        for path in folder.iterdir():
            path.unlink()
        code, said = batch(folder, out, endpoint.base_url)
    assert code == 2 and before and (out / "results.jsonl").read_bytes() == before


def test_what_is_not_read_is_told(folder: Path, tmp_path: Path) -> None:
    """Files of other kinds, and names in the index that nobody has; in run.json too."""
    (folder / "c.doc").write_bytes(b"old")
    (folder / "index.json").write_text('[{"id": "a", "published": "2024-05-16"}, {"id": "z"}]')
    with FakeEndpoint(EMPTY) as endpoint:
        code, said = batch(folder, tmp_path / "run", endpoint.base_url)
    lines = ["Files of kinds that are not read: 1 (.doc 1).", "In index.json, but not one file of the folder: 1 (z)."]
    assert code == 0 and all(line in said for line in lines)
    assert json.loads((tmp_path / "run/run.json").read_text())["summary"]["overlooked"] == lines


def test_a_failed_document_is_told_with_the_id_that_its_file_gives_it(folder: Path, tmp_path: Path) -> None:
    """So that it is found again, and missed in an evaluation, under the name that it has in the results."""
    page = "<html><body><article><p>" + "Quintessa met the ambassador again. " * 9 + "</p></article></body></html>"
    (folder / "c.html").write_text(page, encoding="utf-8")
    (folder / "index.json").write_text('[{"id": "c"}]')
    refused = {"Quintessa": faults.refusal(), "": EMPTY}
    with FakeEndpoint(refused) as endpoint:
        assert batch(folder, tmp_path / "run", endpoint.base_url)[0] == 3
    failure = json.loads((tmp_path / "run/failures.jsonl").read_text("utf-8"))
    assert (failure["document"], failure["id"], failure["class"]) == ("c.html", "c", "Refused")


def test_a_pattern_that_fits_nothing_is_told(folder: Path, tmp_path: Path) -> None:
    """It is rather mistyped; those that fit a file, a folder, or what is no document anyway are not told."""
    (folder / "drafts").mkdir()
    (folder / ".notes").write_text("x", encoding="utf-8")
    patterns = ("draft/", "drafts/", "*.txtt", "b.txt", ".notes")
    with FakeEndpoint(EMPTY) as endpoint:
        excluded = [part for pattern in patterns for part in ("--exclude", pattern)]
        code, said = batch(folder, tmp_path / "run", endpoint.base_url, *excluded)
    assert code == 0
    assert "Patterns that fit no file of the folder: 'draft/', '*.txtt'." in " ".join(said.split())


def test_tables_and_pages_that_the_results_left_behind_are_told(folder: Path, tmp_path: Path) -> None:
    """Where they were not written anew and something has changed."""
    out = tmp_path / "run"
    with FakeEndpoint(EMPTY) as endpoint:
        batch(folder, out, endpoint.base_url, "--format", "csv")
        assert "Of an earlier run" not in batch(folder, out, endpoint.base_url)[1]
        (folder / "c.txt").write_text("Another report, of a third meeting.", encoding="utf-8")
        said = batch(folder, out, endpoint.base_url, "--no-report")[1]
    assert "Of an earlier run, and not written anew: events.csv, relations.csv, entities.csv, report.html." in said


def test_tokens_that_were_paid_for_before_are_told_apart(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that only reads the ledger spends nothing, one with something new only for that; cached replies cost nothing."""
    monkeypatch.setenv("EXTRACTOR_PRICE_INPUT", "1000")
    monkeypatch.setenv("EXTRACTOR_PRICE_OUTPUT", "1000")

    def spending(out: str) -> tuple[int, float, int, float]:
        batch(folder, tmp_path / out, endpoint.base_url)
        summary = json.loads((tmp_path / out / "run.json").read_text("utf-8"))["summary"]
        tokens = summary["prompt_tokens"] + summary["completion_tokens"]
        return tokens, summary["cost"], summary["spent_tokens"], summary["spent"]

    with FakeEndpoint(EMPTY) as endpoint:
        assert "spent now" not in batch(folder, tmp_path / "run", endpoint.base_url)[1]
        assert "none of it spent now" in batch(folder, tmp_path / "run", endpoint.base_url)[1]
        (folder / "c.txt").write_text("Another report, of a third meeting.", encoding="utf-8")
        tokens, cost, spent_tokens, spent = spending("run")
        assert 0 < spent_tokens < tokens and 0 < spent < cost
        assert spent == pytest.approx(spent_tokens / 1000)
        assert spending("again") == (tokens, pytest.approx(tokens / 1000), 0, 0.0)


def test_one_document_at_an_endpoint_that_is_not_there_stays_pending(folder: Path, tmp_path: Path) -> None:
    """As two would: it is not the document."""
    (folder / "b.txt").unlink()
    code, said = batch(folder, tmp_path / "run", "http://127.0.0.1:9/v1", "--patience", "0")
    assert code == 4 and "1 pending" in said and "failed:" not in said
