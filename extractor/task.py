"""A task: one prompt under one ontology, ready to make requests and to read answers."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path

from extractor.answers import answer_schema
from extractor.errors import PromptError
from extractor.llm.base import AnswerSchema, Message, Reply, Request
from extractor.models import Document
from extractor.ontology import Ontology, load_ontology
from extractor.ontology_text import prompt_lists
from extractor.prompts import Prompt, load_prompt
from extractor.strict_schema import lint_strict
from extractor.text.chunking import Chunk
from extractor.text.grounding import TextIndex
from extractor.text.language import language_name
from extractor.text.model_copy import for_model

Parameters = tuple[tuple[str, str | int | float | bool], ...]
MAX_REPAIR_ECHO = 4000
REPAIR = (
    "Your last answer could not be used: {problem} "
    "Answer again, whole, with one JSON object that satisfies the schema, and nothing else."
)


@dataclass(frozen=True)
class Task:
    """Prompt, ontology and answer schema, with the fixed part of the prompt rendered once."""

    prompt: Prompt
    ontology: Ontology

    @cached_property
    def system(self) -> Message:
        return Message("system", self.prompt.render_system(prompt_lists(self.ontology)))

    @cached_property
    def schema(self) -> AnswerSchema:
        return answer_schema(self.ontology, self.prompt.answer)

    @cached_property
    def examples(self) -> TextIndex:
        """The worked examples' documents: a fact whose evidence stands only here was copied from the prompt."""
        return TextIndex("\n\n".join(example.text for example in worked_examples(self.prompt)))

    def request(
        self, document: Document, chunk: Chunk, names: tuple[str, ...], model: str, parameters: Parameters
    ) -> Request:
        """The question about one chunk of one document. Equal input gives an equal fingerprint."""
        text = for_model(document.text[chunk.start : chunk.end])
        user = self.prompt.render_user(
            {
                "published": document.published.isoformat() if document.published else "unknown",
                "language": language_name(document.language),
                "title": _one_line(document.title) or "none",
                "context": _context(chunk, names),
                "boundary": boundary(text),
                "document": text,
            }
        )
        return Request((self.system, Message("user", user)), self.schema, model, parameters)

    def repair(self, request: Request, reply: Reply, problem: str) -> Request:
        """The second and last question after an answer that could not be read."""
        echo = Message("assistant", reply.text[:MAX_REPAIR_ECHO])
        again = Message("user", REPAIR.format(problem=problem[:500]))
        return replace(request, messages=(*request.messages, echo, again))


@dataclass(frozen=True, slots=True)
class WorkedExample:
    """One example out of a prompt: a short document and the answer that belongs to it."""

    language: str
    published: str
    text: str
    answer: str


EXAMPLE = re.compile(r"```document lang=(\w+) published=([\d-]+)\n(.*?)\n```\s*```answer\n(.*?)\n```", re.DOTALL)


def worked_examples(prompt: Prompt) -> list[WorkedExample]:
    """The examples in the fixed part of a prompt, in order."""
    return [WorkedExample(*match.groups()) for match in EXAMPLE.finditer(prompt.system)]


def load_task(prompt: str | Path, ontology: str, prompts_dir: Path | None = None) -> Task:
    """A task by the names of its parts. Raises PromptError or OntologyError where they do not fit."""
    return _task(load_prompt(prompt, prompts_dir), load_ontology(ontology))


@lru_cache(maxsize=16)
def _task(prompt: Prompt, ontology: Ontology) -> Task:
    if prompt.ontology.partition("@")[0] != ontology.id:
        raise PromptError(
            f"The prompt {prompt.ref} is written for {prompt.ontology}, not for {ontology.ref}.",
            hint="Choose a prompt for this ontology.",
        )
    task = Task(prompt, ontology)
    problems = lint_strict(_as_dict(task.schema))
    if problems:
        raise PromptError(f"The answer schema breaks the strict dialect: {problems[0]}.")
    return task


def _as_dict(schema: AnswerSchema) -> dict[str, object]:
    import json

    return dict(json.loads(schema.text))


def boundary(text: str) -> str:
    """A fence that the text cannot close: out of its own hash, and checked not to occur in it."""
    salt = 0
    while True:
        mark = "document-" + hashlib.sha256(f"{salt}\n{text}".encode("utf-8", "surrogatepass")).hexdigest()[:16]
        if mark not in text:
            return mark
        salt += 1


def _one_line(title: str | None) -> str:
    return " ".join(for_model(title or "").split())[:300]


def _context(chunk: Chunk, names: tuple[str, ...]) -> str:
    """What a chunk needs to know of the document around it; the same for the same input."""
    if chunk.is_whole:
        return "This is the whole document."
    lines = [f"This is a part of a longer document: characters {chunk.start:,} to {chunk.end:,} of {chunk.length:,}."]
    if chunk.start > 0:
        lines.append(f"It begins: {_one_line(chunk.lead)}")
    if names:
        lines.append("Names met before: " + "; ".join(_one_line(name) for name in names[:40]))
    return "\n".join(lines)
