"""The rules of the house that a program can check: layers, homes of the big libraries, light imports, released prompts."""

import ast
import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from extractor.answers import read_answer
from extractor.ontology import load_ontology
from extractor.prompts import load_prompt
from extractor.prompts_tools import problems
from extractor.task import load_task, worked_examples

PACKAGE = Path(__file__).parent.parent / "extractor"
FILES = {
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in PACKAGE.rglob("*.py")
}
# Lower layers first; a file may import what stands above it in this list, and its own layer.
LAYERS = [
    {"version", "errors", "terminal", "file_systems"},
    {"ontology", "models", "llm.base", "ontology_text"},
    {"config", "documents", "prompts", "answers", "answers_rows", "answers_short", "strict_schema", "recovery", "text"},
    {"llm", "fake_batches", "fake_connection", "fake_endpoint", "fake_faults"},
    {"task"},
    {"facts"},
    {"merging", "alignment"},
    {"agreement", "dating"},
    {"pipeline"},
    {"prices"},
    {"wiring"},
    {"api", "prompts_tools", "doctor"},
    {"runs"},
    {"evaluation", "report", "assertions", "exports"},
    {"testing", "cassettes_tools"},
    {"cli"},
]
HOMES = {
    "openai": "extractor.llm.live_client",
    "instructor": "extractor.llm.live_modes",
    "tenacity": "extractor.llm.retry",
    "diskcache": "extractor.llm.cache",
}


def layer(module: str) -> int:
    """The longest name that fits decides."""
    name = module.removeprefix("extractor.")
    found = [
        (len(known), number)
        for number, names in enumerate(LAYERS)
        for known in names
        if name == known or name.startswith(known + ".")
    ]
    assert found, f"{module} has no layer: put it into LAYERS"
    return max(found)[1]


def imports(path: Path) -> list[tuple[str, bool]]:
    """Modules that a file imports, and whether only for types."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for_types = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for node in ast.walk(block)
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            found += [(name if name in FILES else node.module, id(node) in for_types) for name in names]
        elif isinstance(node, ast.Import):
            found += [(alias.name, id(node) in for_types) for alias in node.names]
    return found


@pytest.mark.parametrize("module", sorted(name for name in FILES if name != "extractor"))
def test_imports_point_downwards_only(module: str) -> None:
    """A file knows those below it, never those above."""
    for name, for_types in imports(FILES[module]):
        if name.startswith("extractor.") and not for_types:
            assert layer(name) <= layer(module), f"{module} imports {name}"


@pytest.mark.parametrize(("library", "home"), HOMES.items())
def test_each_big_library_has_one_home(library: str, home: str) -> None:
    """openai, instructor, tenacity and diskcache are each imported in one file."""
    users = {
        module
        for module, path in FILES.items()
        for name, for_types in imports(path)
        if name.split(".")[0] == library and not for_types
    }
    assert users <= {home}, users


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(
    "code",
    [
        "import extractor",
        "import extractor.testing",
        "import sys; sys.argv = ['extractor', '--help']\ntry:\n from extractor.cli import main; main()\nexcept SystemExit: pass",
    ],
)
def test_light_imports_stay_light(code: str) -> None:
    """Neither the package, nor its pytest plugin, nor --help loads openai, instructor or pydantic."""
    loaded = run(
        code
        + "\nimport sys; print('LOADED', [name for name in ('openai', 'instructor', 'pydantic', 'diskcache', 'tenacity') if name in sys.modules])"
    )
    assert "LOADED []" in loaded


def test_nothing_unpickles_or_evaluates() -> None:
    """No pickle, eval, exec, shelve or full YAML loader in the package."""
    for module, path in FILES.items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assert not {name.split(".")[0] for name, _ in imports(path)} & {"pickle", "shelve", "marshal", "joblib"}, module
        calls = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
        assert not calls & {"eval", "exec", "yaml.load", "yaml.unsafe_load"}, module


def test_retries_always_stop_and_wait() -> None:
    """tenacity's defaults never stop and never wait."""
    for path in FILES.values():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Retrying"):
                assert {"stop", "wait", "retry"} <= {keyword.arg for keyword in node.keywords}


def test_released_files_never_change(root: Path) -> None:
    """`released.json` holds their digests."""
    released = json.loads((root / "prompts" / "released.json").read_text(encoding="utf-8"))
    assert released
    for name, digest in released.items():
        assert hashlib.sha256((root / "prompts" / name).read_bytes()).hexdigest() == digest, (
            f"{name} was released: make a new version"
        )


def test_prompts_are_in_order() -> None:
    """Front matter, names, and worked examples whose answers pass what real ones must pass."""
    assert problems(None, "plover") == []


def test_worked_examples_cover_three_languages() -> None:
    """Persian, Arabic and English, each with events and relations."""
    examples = worked_examples(load_prompt("plover"))
    assert {example.language for example in examples} == {"fa", "ar", "en"}
    answers = [read_answer(example.answer)[0] for example in examples]
    assert all(answer.events and answer.relations for answer in answers)


def test_the_fixed_part_is_the_same_for_every_document_and_the_document_comes_last() -> None:
    """So that prompt caches serve it; the fence is made of the document's hash and closes the message."""
    from extractor.models import Document
    from extractor.text.chunking import chunk_text

    task = load_task("plover", "plover")
    texts = ("First $text {{ x }} %s {0}", "Second text")
    requests = [task.request(Document(id="d", text=text), chunk_text(text)[0], (), "m", ()) for text in texts]
    assert requests[0].messages[0] == requests[1].messages[0]
    for request, text in zip(requests, texts, strict=True):
        assert f"\n{text}\ndocument-" in request.messages[1].content
        assert request.messages[1].content.rstrip().endswith(">>>")


def test_the_ontology_has_every_code() -> None:
    """16 types, 37 contexts, 25 sectors, 13 entity types, 7 roles, 40 predicates, 4 modalities."""
    ontology = load_ontology("plover")
    sizes = [
        len(v)
        for v in (
            ontology.types,
            ontology.contexts,
            ontology.sectors,
            ontology.entity_types,
            ontology.roles,
            ontology.predicates,
            ontology.modalities,
        )
    ]
    assert sizes == [16, 37, 25, 13, 7, 40, 4]
