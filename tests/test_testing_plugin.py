"""The pytest plugin, in a pytest of its own: replay, misses, unused exchanges, no network, parallel and random order."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from extractor.fake_endpoint import FakeEndpoint
from extractor.llm.scripted import ScriptedLLM


def run(folder: Path, *options: str) -> tuple[int, str]:
    """pytest in a folder, as its user would run it."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", *options]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def project(root: Path, tmp_path: Path) -> Path:
    """A copy of the example project."""
    copy = tmp_path / "project"
    shutil.copytree(root / "examples/replay_tests", copy)
    return copy


@pytest.mark.parametrize(
    "options",
    [(), ("--block-network",), ("-n", "2"), ("-p", "randomly")],
    ids=["plain", "no network", "parallel", "random"],
)
def test_the_example_project_passes(project: Path, options: tuple[str, ...]) -> None:
    """As it stands, without network, in parallel and in random order."""
    code, told = run(project, *options)
    assert (code, "3 passed" in told) == (0, True), told


def test_a_changed_document_fails_with_what_differs(project: Path) -> None:
    """The cassette is named, the nearest request, and what to do."""
    text = project / "texts/tbilisi.txt"
    text.write_text(text.read_text(encoding="utf-8").replace("riot police", "police"), encoding="utf-8")
    code, told = run(project)
    assert code == 1
    assert all(words in told for words in ("No recorded reply", "tbilisi.json", "the document", "--record-mode=once"))


def test_an_unused_exchange_fails_the_test_unless_permitted(project: Path, root: Path) -> None:
    """A cassette holds what the test asks, no more."""
    shutil.copy(root / "cassettes/plover-1.0.0/fa-01-minsk-memorandum.json", project / "cassettes/tbilisi")
    code, told = run(project)
    assert code == 1 and "not asked for" in told
    tests = project / "test_arrests.py"
    tests.write_text(
        tests.read_text(encoding="utf-8").replace('cassette("tbilisi")', 'cassette("tbilisi", allow_unused=True)'),
        encoding="utf-8",
    )
    assert run(project)[0] == 0


def test_a_missing_cassette_fails_and_records_nothing(project: Path) -> None:
    """A typo in a name is an error, not a call."""
    tests = project / "test_arrests.py"
    tests.write_text(
        tests.read_text(encoding="utf-8").replace('cassette("tbilisi")', 'cassette("tiblisi")'), encoding="utf-8"
    )
    code, told = run(project)
    assert code == 1 and "Nothing is recorded in" in told
    assert not (project / "cassettes/tiblisi.json").exists()


def test_once_records_what_is_missing_and_replay_plays_it(tmp_path: Path) -> None:
    """From the endpoint of the environment; the file is named after module and test."""
    (tmp_path / "test_it.py").write_text(
        "from extractor import extract\n"
        "def test_it(cassette):\n"
        "    assert extract('A text.', model='m').events == ()\n",
        encoding="utf-8",
    )
    with FakeEndpoint() as endpoint:
        env = os.environ | {"OPENAI_BASE_URL": endpoint.base_url}
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "--record-mode=once"]
        done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout
        assert len(endpoint.requests) == 1
    assert (tmp_path / "cassettes/test_it/test_it.json").exists()
    assert run(tmp_path)[0] == 0


def test_the_network_is_blocked_and_the_error_names_the_test(tmp_path: Path) -> None:
    """In threads and in asyncio too; this machine stays reachable."""
    (tmp_path / "test_net.py").write_text(
        "import asyncio, socket, threading\n"
        "def test_direct():\n    socket.create_connection(('192.0.2.1', 80), timeout=1)\n"
        "def test_name():\n    socket.create_connection(('example.org', 80), timeout=1)\n"
        "def test_asyncio():\n    asyncio.run(asyncio.open_connection('192.0.2.1', 80))\n"
        "def test_loopback():\n"
        "    with socket.create_server(('127.0.0.1', 0)) as server:\n"
        "        socket.create_connection(server.getsockname()).close()\n",
        encoding="utf-8",
    )
    code, told = run(tmp_path, "--block-network", "-p", "no:randomly")
    assert "3 failed, 1 passed" in told
    assert "test_net.py::test_direct reached for 192.0.2.1:80" in told
    assert code == 1


def test_it_works_with_asyncio_and_anyio(tmp_path: Path) -> None:
    """aextract inside an asynchronous test."""
    (tmp_path / "test_async.py").write_text(
        "import pytest\nfrom extractor import aextract\n"
        "EMPTY = {'entities': [], 'events': [], 'relations': []}\n"
        "@pytest.mark.asyncio\nasync def test_one(scripted_llm):\n    llm = scripted_llm([EMPTY])\n    assert (await aextract('A text.', llm=llm)).events == ()\n"
        "@pytest.mark.anyio\n@pytest.mark.parametrize('anyio_backend', ['asyncio'])\nasync def test_two(scripted_llm, anyio_backend):\n"
        "    scripted_llm([EMPTY])\n    assert (await aextract('A text.')).events == ()\n",
        encoding="utf-8",
    )
    code, told = run(tmp_path, "-o", "asyncio_default_fixture_loop_scope=function")
    assert (code, "2 passed" in told) == (0, True), told


def test_a_differing_extraction_is_told_as_facts() -> None:
    """`assert_extraction` names what is missing and what is new."""
    from extractor import extract
    from extractor.testing import assert_extraction

    event = {
        "evidence": "Karimi condemned the attack", "trigger": "condemned", "type": "ACCUSE", "modes": [], "contexts": [], "actors": [1], "recipients": [],
        "participants": [], "place": None, "time": None, "modality": "asserted", "source": None, "figures": [],
    }  # fmt: skip
    entity = {
        "id": 1,
        "type": "person",
        "name": "Karimi",
        "aliases": [],
        "name_en": "Karimi",
        "country": None,
        "sector": None,
    }
    text = "Karimi condemned the attack."
    full = extract(text, llm=ScriptedLLM(lambda r: {"entities": [entity], "events": [event], "relations": []}))
    less = extract(
        text,
        llm=ScriptedLLM(lambda r: {"entities": [entity], "events": [event | {"modality": "negated"}], "relations": []}),
    )
    assert_extraction(full, full.model_dump(mode="json"))
    with pytest.raises(AssertionError) as caught:
        assert_extraction(less, full)
    told = str(caught.value).splitlines()
    assert (
        told[1].startswith("  - event ACCUSE; by Karimi")
        and told[2].startswith("  + event ACCUSE; by Karimi")
        and "negated" in told[2]
    )


def test_an_unexpected_request_of_a_script_is_shown() -> None:
    """The test author sees what was asked."""
    from extractor import errors, extract

    with pytest.raises(errors.CassetteMiss, match="A text that nobody scripted"):
        extract("A text that nobody scripted.", llm=ScriptedLLM({"something else": "{}"}))


def recorded(tmp_path: Path, mode: str, **settings: str) -> tuple[int, str]:
    """The tests of a folder, run against a loopback endpoint in a recording mode."""
    with FakeEndpoint() as endpoint:
        env = os.environ | {"OPENAI_BASE_URL": endpoint.base_url} | settings
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:randomly",
            "-q",
            f"--record-mode={mode}",
        ]
        done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout


def test_what_was_recorded_is_replayed_whatever_tests_are_called_and_share(tmp_path: Path) -> None:
    """Of two classes, of parameters that a file name cannot hold, of one cassette for two tests; without the model being named again."""
    (tmp_path / "test_it.py").write_text(
        "import pytest\nfrom extractor import extract\n"
        "class TestA:\n    def test_x(self, cassette):\n        extract('A text.')\n"
        "class TestB:\n    def test_x(self, cassette):\n        extract('B text.')\n"
        "@pytest.mark.parametrize('name', ['a b', 'a-b'])\ndef test_p(name, cassette):\n    extract('Text of ' + name)\n"
        "@pytest.mark.cassette('shared', allow_unused=True)\ndef test_one(cassette):\n    extract('One text.')\n"
        "@pytest.mark.cassette('shared', allow_unused=True)\ndef test_two(cassette):\n    extract('Two texts.')\n",
        encoding="utf-8",
    )
    for mode in ("once", "rerecord"):
        code, told = recorded(tmp_path, mode, EXTRACTOR_MODEL="some-model")
        assert code == 0, told
        assert run(tmp_path)[0] == 0


def test_texts_that_are_to_be_left_out_are_left_out(tmp_path: Path) -> None:
    """As in every other recording."""
    (tmp_path / "test_it.py").write_text(
        "from extractor import extract\ndef test_it(cassette):\n    extract('A confidential text.')\n", encoding="utf-8"
    )
    assert recorded(tmp_path, "once", EXTRACTOR_OMIT_DOCUMENTS="true")[0] == 0
    files = list((tmp_path / "cassettes").rglob("*.json"))
    assert files and not any("confidential" in path.read_text("utf-8") for path in files)
