"""Folders of prompts: what each file says of itself, and what is released."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from extractor.cli.prompts import app
from extractor.errors import PromptError
from extractor.prompts import load_prompt
from extractor.prompts_tools import overview, problems, release_prompt

NEWEST = "1.6.0"


@pytest.fixture
def prompts(root: Path, tmp_path: Path) -> Path:
    """A folder of one prompt, not released."""
    folder = tmp_path / "prompts"
    (folder / "plover").mkdir(parents=True)
    shutil.copy(root / f"prompts/plover/{NEWEST}.md", folder / "plover")
    return folder


def a_copy(prompts: Path, name: str, old: str, new: str) -> None:
    text = (prompts / f"plover/{NEWEST}.md").read_text(encoding="utf-8")
    (prompts / "plover" / name).write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("1.7.0.md", "", ""),
        ("1.7.0.md", f"version: {NEWEST}", "version: 7.0.0"),
        (f"{NEWEST}.md", "id: plover", "id: other"),
    ],
)
def test_a_file_goes_by_the_name_that_it_says(name: str, old: str, new: str, prompts: Path) -> None:
    """Two texts under one name, or a release of a file that is not there, would end what a version means."""
    a_copy(prompts, name, old, new)
    version = name.removesuffix(".md")
    assert any(f"expected plover@{version}" in line for line in problems(prompts, "plover"))
    with pytest.raises(PromptError, match=f"expected plover@{version}"):
        release_prompt(f"plover@{version}", prompts)
    assert not (prompts / "released.json").exists()


def test_the_folder_of_the_settings_holds_for_every_command(prompts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it does for batch and record."""
    a_copy(prompts, "9.0.0.md", f"version: {NEWEST}", "version: 9.0.0")
    monkeypatch.setenv("EXTRACTOR_PROMPTS_DIR", str(prompts))
    run = CliRunner().invoke
    assert "plover@9.0.0" in run(app, ["list"]).output
    assert "version: 9.0.0" in run(app, ["show", "plover@9"]).output
    assert run(app, ["check"]).output == "All prompts are in order.\n"
    assert run(app, ["release", "plover@9.0.0"]).exit_code == 0
    assert list(json.loads((prompts / "released.json").read_text())) == ["plover/9.0.0.md"]


def test_a_folder_that_is_not_there_and_a_list_that_is_none_are_told(prompts: Path, tmp_path: Path) -> None:
    """By an error of one line."""
    with pytest.raises(PromptError, match="no folder of prompts"):
        overview(tmp_path / "nowhere")
    (prompts / "released.json").write_text("[1]")
    with pytest.raises(PromptError, match="expected an object"):
        overview(prompts)


def test_a_released_version_that_was_changed_is_refused(prompts: Path) -> None:
    """Under its name; as a file of one's own it may be tried."""
    name = f"plover@{NEWEST}"
    release_prompt(name, prompts)
    assert load_prompt(name, prompts).ref == name
    a_copy(prompts, f"{NEWEST}.md", "You read one news report", "You read one report")
    with pytest.raises(PromptError, match="a released version does not change") as caught:
        load_prompt("plover", prompts)
    assert "Restore" in str(caught.value) and "prompts new" in str(caught.value)
    assert load_prompt(prompts / f"plover/{NEWEST}.md").ref == name
