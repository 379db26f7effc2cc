"""The public face: `extract()`, `aextract()` and `Extractor`."""

from __future__ import annotations

import asyncio
import os
import threading
from collections import deque
from collections.abc import AsyncIterator, Coroutine, Iterable
from concurrent.futures import Future
from datetime import date
from functools import cached_property, lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from extractor.config import Settings, changed, load_settings
from extractor.documents import as_document
from extractor.errors import ExtractorError
from extractor.llm.base import LLM, Meter
from extractor.models import Document, Extraction
from extractor.pipeline import Options, extract_document
from extractor.task import Task, load_task
from extractor.wiring import build_llm, overriding_llm

T = TypeVar("T")
DEFAULT_ONTOLOGY = "plover"
_sharing = threading.Lock()
_sharing_loop = threading.Lock()


def extract(
    text: str | Document,
    *,
    published: date | str | None = None,
    language: str | None = None,
    ontology: str = DEFAULT_ONTOLOGY,
    prompt: str | Path | None = None,
    model: str | None = None,
    settings: Settings | None = None,
    llm: LLM | None = None,
) -> Extraction:
    """Events, entities and relations of one document, each with its evidence located in the text.

    Works in a script, in a thread, in a notebook and inside a running event loop: the work is done
    on an event loop of its own, in a background thread.

    `published` is the day of publication (a date, or ISO `YYYY-MM-DD`), against which time
    expressions are resolved. `language` is an ISO 639-1 code, detected where it is None. `llm` is
    anything with the method `complete`: a double, a cassette player. What is None is taken from
    `settings`, and these from the environment and extractor.toml.

    Raises CallerError, ProviderError, AnswerError or StorageError (see `extractor.errors`).
    """
    document = as_document(text, published=published, language=language)
    return _shared(settings, _given(ontology, prompt, model), llm or overriding_llm()).extract(document)


async def aextract(
    text: str | Document,
    *,
    published: date | str | None = None,
    language: str | None = None,
    ontology: str = DEFAULT_ONTOLOGY,
    prompt: str | Path | None = None,
    model: str | None = None,
    settings: Settings | None = None,
    llm: LLM | None = None,
) -> Extraction:
    """The same as `extract`, awaitable, on the running event loop."""
    document = as_document(text, published=published, language=language)
    async with Extractor(settings, llm=llm, **_given(ontology, prompt, model)) as extractor:
        return await extractor.aextract(document)


class Extractor:
    """Settings and one LLM stack for many calls: connections, cache and limits are shared.

    Use it with `with` or `async with`, or call `close()`. `arguments` are settings by name and win
    over everything else.
    """

    def __init__(self, settings: Settings | None = None, *, llm: LLM | None = None, **arguments: Any) -> None:
        self.settings = _with_arguments(settings, arguments)
        self.meter = Meter()
        self._given = llm
        self._stacks: WeakKeyDictionary[asyncio.AbstractEventLoop, LLM] = WeakKeyDictionary()

    def with_settings(self, **changes: Any) -> Extractor:
        """The same with some settings changed, and a stack of its own; it counts on the same meter, until it is given another."""
        other = Extractor(changed(self.settings, changes), llm=self._given)
        other.meter = self.meter
        return other

    @property
    def task(self) -> Task:
        return load_task(self.settings.prompt, self.settings.ontology, self.settings.prompts_dir)

    @property
    def options(self) -> Options:
        """How documents are asked about, out of the settings."""
        return Options(
            model=self._model(),
            parameters=self.settings.parameters(),
            chunk_size=self.settings.chunk_size,
            chunk_overlap=self.settings.chunk_overlap,
            max_document_chars=self.settings.max_document_chars,
            document_timeout=self.settings.document_timeout,
            passes=self.settings.passes,
        )

    def _model(self) -> str:
        """The model to ask; where recordings are replayed and none was named, the one that was recorded."""
        if "model" in self.settings.model_fields_set:
            return self.settings.model
        recorded = getattr(self._given or overriding_llm(), "recorded_model", None)
        if recorded is not None:
            return recorded() or self.settings.model
        return (self.settings.replay and self._recorded_model) or self.settings.model

    @cached_property
    def _recorded_model(self) -> str | None:
        from extractor.llm.cassette import CassettePlayer

        return CassettePlayer(self.settings.replay or Path()).recorded_model()

    def llm(self) -> LLM:
        """The LLM stack of the running event loop; made once for a loop."""
        given = self._given or overriding_llm()
        if given is not None:
            return given
        loop = asyncio.get_running_loop()
        if loop not in self._stacks:
            self._stacks[loop] = build_llm(self.settings, self.meter)
        return self._stacks[loop]

    def extract(
        self, text: str | Document, *, published: date | str | None = None, language: str | None = None
    ) -> Extraction:
        """One document, from any thread."""
        return run_in_background(self.aextract(as_document(text, published=published, language=language)))

    async def aextract(
        self, text: str | Document, *, published: date | str | None = None, language: str | None = None
    ) -> Extraction:
        """One document, on the running event loop."""
        document = as_document(text, published=published, language=language)
        return await extract_document(document, self.task, self.llm(), self.options)

    async def batch(self, documents: Iterable[Document]) -> AsyncIterator[tuple[Document, Extraction | ExtractorError]]:
        """Each document with its extraction, or with the error it ended in, in the order of the input.

        At most `concurrency` documents are worked on at once, and as many wait to be given out: memory stays bounded.
        """
        waiting: deque[tuple[Document, asyncio.Task[Extraction | ExtractorError]]] = deque()
        gate = asyncio.Semaphore(self.settings.concurrency)
        try:
            for document in documents:
                waiting.append((document, asyncio.create_task(self._outcome(document, gate))))
                if len(waiting) >= 2 * self.settings.concurrency:
                    first, task = waiting.popleft()
                    yield first, await task
            while waiting:
                first, task = waiting.popleft()
                yield first, await task
        finally:
            for _, task in waiting:
                task.cancel()

    async def _outcome(self, document: Document, gate: asyncio.Semaphore) -> Extraction | ExtractorError:
        async with gate:
            try:
                return await self.aextract(document)
            except ExtractorError as exc:
                return exc

    def close(self) -> None:
        """Release connections and files of the background loop."""
        run_in_background(self.aclose())

    async def aclose(self) -> None:
        """Release connections and files of the running loop."""
        stack = self._stacks.pop(asyncio.get_running_loop(), None)
        if stack is not None:
            await stack.aclose()

    def __enter__(self) -> Extractor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Extractor:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


def run_in_background(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on the private event loop, and wait for it. Ctrl-C cancels it."""
    future: Future[T] = asyncio.run_coroutine_threadsafe(work, _background_loop())
    try:
        return future.result()
    except BaseException:
        future.cancel()
        raise


def _forget_the_parent() -> None:
    """In a child process the background loop has no thread, the shared stacks have the parent's connections, and a lock
    may be held by a thread that is not there."""
    global _sharing, _sharing_loop
    _sharing, _sharing_loop = threading.Lock(), threading.Lock()
    _made_loop.cache_clear()
    _extractor_for.cache_clear()


if hasattr(os, "register_at_fork"):  # where processes can fork
    os.register_at_fork(after_in_child=_forget_the_parent)


def _background_loop() -> asyncio.AbstractEventLoop:
    with _sharing_loop:
        return _made_loop()


@lru_cache(maxsize=1)
def _made_loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="extractor", daemon=True).start()
    return loop


def _given(ontology: str, prompt: str | Path | None, model: str | None) -> dict[str, str]:
    """The arguments that were given: the default ontology gives way to one that is set."""
    named = {"ontology": None if ontology == DEFAULT_ONTOLOGY else ontology, "prompt": prompt, "model": model}
    return {name: str(value) for name, value in named.items() if value is not None}


def _with_arguments(settings: Settings | None, arguments: dict[str, Any]) -> Settings:
    if settings is None:
        return load_settings(**arguments)
    given = {name: value for name, value in arguments.items() if value is not None}
    return changed(settings, given) if given else settings


def _shared(settings: Settings | None, arguments: dict[str, str], llm: LLM | None) -> Extractor:
    """One Extractor for calls with equal settings, so that repeated `extract()` calls share connections."""
    merged = _with_arguments(settings, arguments)
    if llm is not None:
        return Extractor(merged, llm=llm)
    # lru_cache lets threads that miss at the same moment all compute: each would have a stack, and pay, for itself.
    with _sharing:
        return _extractor_for(merged.model_dump_json(), _Plain(merged))


class _Plain:
    """Carries settings past the cache's key, which is their text: a secret is compared by its value."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.key = settings.api_key.get_secret_value() if settings.api_key else None

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Plain) and other.key == self.key


@lru_cache(maxsize=8)
def _extractor_for(text: str, plain: _Plain) -> Extractor:
    return Extractor(plain.settings)
