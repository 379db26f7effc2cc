"""What is done with prompt files as such: list them, compare them, check them, make and release versions."""

from __future__ import annotations

import difflib
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

from extractor.answers import read_answer
from extractor.errors import ExtractorError, PromptError
from extractor.facts import Source, ground
from extractor.llm.base import Message
from extractor.models import Document, Rejection, Span
from extractor.prompts import (
    VERSION,
    Prompt,
    existing_prompts,
    list_versions,
    load_prompt,
    prompt_names,
    released_digests,
)
from extractor.task import Task, WorkedExample, load_task, worked_examples
from extractor.text.chunking import chunk_text
from extractor.text.grounding import TextIndex


def overview(folder: Path | None = None) -> list[str]:
    """A line for each version: reference, whether released, what it says of itself."""
    place = existing_prompts(folder)
    released = released_digests(place)
    lines = []
    for name in prompt_names(place):
        for version in list_versions(name, place):
            prompt = load_prompt(f"{name}@{version}", place)
            state = "released" if f"{name}/{version}.md" in released else "draft"
            lines.append(f"{prompt.ref:<20} {state:<9} {prompt.description}")
    return lines


def rendered(prompt: str, folder: Path | None, ontology: str, document: Document) -> tuple[Message, ...]:
    """The messages of the first chunk of a document."""
    task = load_task(prompt, ontology, folder)
    chunk = chunk_text(document.text)[0]
    return task.request(document, chunk, (), "model", ()).messages


def difference(old: str, new: str, folder: Path | None = None) -> Iterator[str]:
    before, after = load_prompt(old, folder), load_prompt(new, folder)
    old_lines, new_lines = (prompt.path.read_text(encoding="utf-8").splitlines() for prompt in (before, after))
    return difflib.unified_diff(old_lines, new_lines, before.ref, after.ref, lineterm="")


def problems(folder: Path | None, ontology: str) -> list[str]:
    """What is wrong with the prompts of a folder."""
    place = existing_prompts(folder)
    found = changed_releases(place)
    for name in prompt_names(place):
        for version in list_versions(name, place):
            try:
                task = load_task(f"{name}@{version}", ontology, place)
                found += misnamed(task.prompt)
                found += example_problems(task)
            except ExtractorError as exc:
                found.append(str(exc))
    return found


def misnamed(prompt: Prompt) -> list[str]:
    """Whether a file says another name of itself than where it lies: two texts would go by one name."""
    where = f"{prompt.path.parent.name}@{prompt.path.stem}"
    return [] if prompt.ref == where else [f"{prompt.path} says that it is {prompt.ref}; expected {where}."]


def changed_releases(folder: Path) -> list[str]:
    """Released files that are gone or not what was released."""
    found = []
    for name, digest in released_digests(folder).items():
        path = folder / name
        if not path.exists():
            found.append(f"{name} was released and is gone.")
        elif hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            found.append(f"{name} was released and has changed: make a new version.")
    return found


def example_problems(task: Task) -> list[str]:
    """Whatever of a prompt's worked examples would not be kept if the LLM had answered so."""
    found = []
    for number, example in enumerate(worked_examples(task.prompt), 1):
        for rejection in example_rejections(task, example):
            found.append(
                f"{task.prompt.ref}, example {number}: {rejection.kind} {rejection.reason}: {rejection.detail}"
            )
    return found


def example_rejections(task: Task, example: WorkedExample) -> list[Rejection]:
    """The same validation and grounding that a real answer goes through."""
    answer, flaws = read_answer(example.answer)
    document = Document(id="example", text=example.text, language=example.language)
    source = Source(
        document, TextIndex(example.text), Span(start=0, end=len(example.text)), 0, None, example.language, task
    )
    return ground(answer, flaws, source)[1]


def copy_prompt(prompt: str, version: str, folder: Path | None = None) -> Path:
    """A new version out of an old one. Raises PromptError where it exists or is no version."""
    if not VERSION.fullmatch(version):
        raise PromptError(f"A version is like 1.2.0, not {version!r}.")
    old = load_prompt(prompt, folder)
    path = old.path.with_name(f"{version}.md")
    if path.exists():
        raise PromptError(f"{path} exists already.", hint="Choose the next number.")
    text = old.path.read_text(encoding="utf-8")
    path.write_text(re.sub(r"(?m)^version: .*$", f"version: {version}", text, count=1), encoding="utf-8")
    return path


def release_prompt(prompt: str, folder: Path | None = None) -> str:
    """Enter a version into released.json. Raises PromptError where it is in there with other content."""
    place = existing_prompts(folder)
    found = load_prompt(prompt, place)
    for problem in misnamed(found):
        raise PromptError(problem, hint="Mend its front matter, or its name.")
    name, released = f"{found.id}/{found.version}.md", released_digests(place)
    if released.get(name, found.digest) != found.digest:
        raise PromptError(f"{name} was released with other content.", hint="Make a new version.")
    text = json.dumps(dict(sorted((released | {name: found.digest}).items())), indent=1)
    (place / "released.json").write_text(text + "\n", encoding="utf-8")
    return f"{found.ref} {found.digest}"
