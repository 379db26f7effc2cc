"""What the README shows is what the program does."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).parent.parent / "README.md"
TEXT = README.read_text(encoding="utf-8")
PYTHON = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
HELP = re.findall(r"<!-- help: (.*?) -->\n```text\n(.*?)```\n<!-- /help -->", TEXT, re.DOTALL)
COMMANDS = re.findall(r"^extractor ([a-z]+)", TEXT, re.MULTILINE)


@pytest.mark.parametrize("code", PYTHON, ids=range(len(PYTHON)))
def test_python_examples_run(code: str, tmp_path: Path) -> None:
    """As they stand; where they ask a model, a scripted one answers; where they are tests of a user's, they compile."""
    if "my_project" in code:
        compile(code, "README.md", "exec")
        return
    script = tmp_path / "example.py"
    answer = '{"entities": [], "events": [], "relations": []}'
    script.write_text(f"from extractor.wiring import use_llm\nfrom extractor.llm.scripted import ScriptedLLM\nwith use_llm(ScriptedLLM(lambda r: {answer!r})):\n"
                      + "\n".join("    " + line for line in code.splitlines()), encoding="utf-8")  # fmt: skip
    done = subprocess.run([sys.executable, "-W", "error", str(script)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("command", "shown"), HELP, ids=[command for command, _ in HELP])
def test_the_help_that_is_shown_is_the_programs_own(command: str, shown: str) -> None:
    """Character for character."""
    code = f"import sys; sys.argv = {command.split()!r}; from extractor.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, env={"COLUMNS": "100", "PATH": ""}
    )
    assert done.stdout.strip() == shown.strip()


@pytest.mark.parametrize("command", sorted(set(COMMANDS)))
def test_every_command_that_is_named_exists(command: str) -> None:
    """`extractor <command> --help` answers."""
    code = f"import sys; sys.argv = ['extractor', {command!r}, '--help']; from extractor.cli import main; main()"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60).returncode == 0


def test_local_links_lead_somewhere() -> None:
    """No dead link, no missing picture."""
    for link in re.findall(r"\]\((?!http)([^)#]+)\)", TEXT):
        assert (README.parent / link).exists(), link
