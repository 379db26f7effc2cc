"""Prompt files: find one by reference, check it, render it, and give its digest.

A prompt is a Markdown file with YAML front matter and two parts, `# system` and `# user`. Only
`$names` are filled in, and never twice: a document is put in by concatenation, not by rendering.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from string import Template
from typing import Any

from extractor.errors import PromptError

SYSTEM_NAMES = frozenset({"event_types", "contexts", "entity_types", "sectors", "roles", "modalities", "predicates"})
USER_NAMES = frozenset({"published", "language", "title", "context", "boundary", "document"})
FRONT_MATTER = {"id": str, "version": str, "ontology": str, "answer": int, "description": str, "changelog": list}
# How an answer is written: 1 with whole words as keys, 2 with letters, 3 with a schema in the order of the prompt, 4 in rows.
ANSWER_FORMS = (1, 2, 3, 4)
VERSION = re.compile(r"\d+\.\d+\.\d+")


@dataclass(frozen=True, slots=True)
class Prompt:
    """One version of a prompt, as its file says. `digest` is the SHA-256 of the file's bytes."""

    id: str
    version: str
    ontology: str
    answer: int
    description: str
    changelog: tuple[str, ...]
    system: str
    user: str
    digest: str
    path: Path

    @property
    def ref(self) -> str:
        """`plover@1.0.0`"""
        return f"{self.id}@{self.version}"

    def render_system(self, lists: Mapping[str, str]) -> str:
        """The fixed part: the same for every document."""
        return Template(self.system).substitute(lists)

    def render_user(self, values: Mapping[str, str]) -> str:
        """The part of one document. Values go in as they are: a `$` in them stays a `$`."""
        return Template(self.user).substitute(values)


def prompts_folder(folder: Path | None = None) -> Path:
    """The given folder, or the one that ships with the package."""
    if folder is not None:
        return folder
    here = Path(__file__).parent
    shipped = here / "_prompts"
    return shipped if shipped.is_dir() else here.parent / "prompts"


def existing_prompts(folder: Path | None = None) -> Path:
    """The same, where it is there. Raises PromptError where it is not."""
    place = prompts_folder(folder)
    if not place.is_dir():
        raise PromptError(f"There is no folder of prompts {str(place)!r}.", hint="It holds a folder for each prompt.")
    return place


def prompt_names(folder: Path) -> list[str]:
    """The prompts of a folder."""
    return sorted(path.name for path in folder.iterdir() if path.is_dir())


def load_prompt(ref: str | Path, folder: Path | None = None) -> Prompt:
    """A prompt by path (`my/prompt.md`) or by reference: `plover`, `plover@1`, `plover@1.1`, `plover@1.1.0`.

    A reference that fits several versions takes the highest released one. Raises PromptError with
    the versions that exist, and for a released version that is not what was released.
    """
    if str(ref).endswith(".md"):
        return _read(Path(ref))
    place = prompts_folder(folder)
    found = _read(resolve_prompt(str(ref), place))
    if released_digests(place).get(f"{found.id}/{found.version}.md", found.digest) != found.digest:
        raise PromptError(
            f"{found.ref} is not what was released under that name, and a released version does not change.",
            hint=f"Restore {found.path}; for a version of your own: extractor prompts new.",
        )
    return found


def resolve_prompt(ref: str, folder: Path) -> Path:
    """The file that a reference names."""
    name, _, wanted = ref.partition("@")
    versions = list_versions(name, folder)
    if not versions:
        known = ", ".join(prompt_names(folder)) if folder.is_dir() else "none"
        raise PromptError(f"Unknown prompt {name!r}.", hint=f"Prompts in {folder}: {known}.")
    fitting = [v for v in versions if not wanted or v == wanted or v.startswith(wanted + ".")]
    digests = released_digests(folder)
    released = [v for v in fitting if f"{name}/{v}.md" in digests]
    if not fitting:
        raise PromptError(f"Prompt {name!r} has no version {wanted!r}.", hint=f"It has {', '.join(versions)}.")
    return folder / name / f"{(released or fitting)[-1]}.md"


def list_versions(name: str, folder: Path) -> list[str]:
    """The versions of a prompt, lowest first."""
    found = (path.stem for path in (folder / name).glob("*.md")) if re.fullmatch(r"[\w-]+", name) else ()
    return sorted((v for v in found if VERSION.fullmatch(v)), key=lambda v: [int(n) for n in v.split(".")])


def released_digests(folder: Path) -> dict[str, str]:
    """`released.json`: file -> SHA-256 of its bytes. A file listed there never changes again."""
    import json

    path = folder / "released.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as exc:
        raise PromptError(f"{path} is not valid JSON: {exc}.") from None
    if not isinstance(found, dict):
        raise PromptError(f"{path}: expected an object, file -> SHA-256, got {type(found).__name__}.")
    return {str(name): str(digest) for name, digest in found.items()}


@lru_cache(maxsize=64)
def _parse(path: Path, data: bytes) -> Prompt:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as exc:
        raise PromptError(f"{path} is not UTF-8: {exc.reason} at byte {exc.start}.") from None
    head, body = _front_matter(path, text)
    system, user = _parts(path, body)
    _check_names(path, "system", system, SYSTEM_NAMES)
    _check_names(path, "user", user, USER_NAMES)
    if not {"boundary", "document"} <= _names(path, "user", user):
        raise PromptError(f"{path}: the user part needs $boundary and $document.")
    values = head | {"changelog": tuple(str(line) for line in head["changelog"])}
    return Prompt(**values, system=system, user=user, digest=hashlib.sha256(data).hexdigest(), path=path)


def _read(path: Path) -> Prompt:
    try:
        return _parse(path, path.read_bytes())
    except OSError as exc:
        raise PromptError(f"Cannot read the prompt {path}: {exc.strerror}.") from None


def _front_matter(path: Path, text: str) -> tuple[dict[str, Any], str]:
    import yaml

    match = re.match(r"---\n(.*?)\n---\n(.*)", text, re.DOTALL)
    if match is None:
        raise PromptError(f"{path}: expected YAML front matter between two lines of ---.")
    try:
        head = yaml.safe_load(match[1])
    except yaml.YAMLError as exc:
        raise PromptError(f"{path}: the front matter is not valid YAML: {exc}.") from None
    if not isinstance(head, dict) or set(head) != set(FRONT_MATTER):
        raise PromptError(f"{path}: the front matter needs exactly {', '.join(FRONT_MATTER)}.")
    for name, kind in FRONT_MATTER.items():
        if not isinstance(head[name], kind):
            raise PromptError(f"{path}: {name} is to be of type {kind.__name__}, not {type(head[name]).__name__}.")
    if not VERSION.fullmatch(head["version"]):
        raise PromptError(f"{path}: version is to be like 1.0.0, not {head['version']!r}.")
    if head["answer"] not in ANSWER_FORMS:
        raise PromptError(f"{path}: answer is to be one of {', '.join(map(str, ANSWER_FORMS))}, not {head['answer']}.")
    return head, match[2]


def _parts(path: Path, body: str) -> tuple[str, str]:
    match = re.fullmatch(r"\s*# system\n(.*?)\n# user\n(.*)", body, re.DOTALL)
    if match is None:
        raise PromptError(f"{path}: the body needs a part '# system' and after it a part '# user'.")
    return match[1].strip() + "\n", match[2].strip() + "\n"


def _names(path: Path, part: str, text: str) -> set[str]:
    template = Template(text)
    if not template.is_valid():
        raise PromptError(f"{path}: the {part} part has a stray $. Write $$ for a dollar sign.")
    return set(template.get_identifiers())


def _check_names(path: Path, part: str, text: str, allowed: frozenset[str]) -> None:
    unknown = _names(path, part, text) - allowed
    if unknown:
        raise PromptError(
            f"{path}: unknown ${', $'.join(sorted(unknown))} in the {part} part.",
            hint=f"Known there: {', '.join(sorted(allowed))}.",
        )
