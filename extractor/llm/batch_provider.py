"""A provider's files and batches, as OpenAI has them: upload, order, look, fetch."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from extractor.errors import CallTimeout, ExtractorError, ProviderError, UnknownModel
from extractor.llm.collecting import ENDPOINT
from extractor.llm.live_client import Wire
from extractor.llm.retry import with_retries

if TYPE_CHECKING:
    from openai import AsyncOpenAI
    from openai.types import Batch as RawBatch

T = TypeVar("T")
WINDOW: Final = "24h"
MARK = "extractor_part"
RECENT = 200
OVER = frozenset({"completed", "failed", "expired", "cancelled"})


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a provider did not take a batch: its code, its words, and the line it speaks of (from 1), if any."""

    code: str
    message: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch as the provider tells of it. `outputs` are the files to fetch: answers, and errors."""

    id: str
    status: str
    done: int = 0
    total: int = 0
    outputs: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()

    @property
    def over(self) -> bool:
        return self.status in OVER


class BatchProvider:
    """Files and batches behind one `Wire`. Every call is tried up to `attempts` times; `timeout` bounds one, in seconds.

    Raises ProviderError where the provider cannot be reached or refuses.
    """

    def __init__(
        self, wire: Wire, *, model: str, attempts: int = 5, first_wait: float = 0.5, timeout: float = 180.0
    ) -> None:
        self.wire = wire
        self._model = model
        self._attempts = attempts
        self._first_wait = first_wait
        self._timeout = timeout

    async def upload(self, path: Path, name: str, *, tried_before: bool) -> str:
        """The id of the file, uploaded under this name; where an upload was begun before, the one that is there is taken."""
        tried = tried_before

        async def once(client: AsyncOpenAI) -> str:
            nonlocal tried
            if tried and (found := await self._find_file(client, name)) is not None:
                return found
            tried = True
            with path.open("rb") as file:
                made = await client.files.create(
                    file=(name, file, "application/jsonl"), purpose="batch", extra_headers=self.wire.headers()
                )
            return made.id

        return await self._call(once)

    async def order(self, file: str, mark: str, *, tried_before: bool) -> Batch:
        """A batch over an uploaded file; where one was ordered before under this mark, that one."""
        tried = tried_before

        async def once(client: AsyncOpenAI) -> Batch:
            nonlocal tried
            if tried and (found := await self._find_batch(client, mark)) is not None:
                return found
            tried = True
            made = await client.batches.create(
                input_file_id=file, endpoint=ENDPOINT, completion_window=WINDOW, metadata={MARK: mark},
                extra_headers=self.wire.headers(),
            )  # fmt: skip
            return read_batch(made)

        return await self._call(once)

    async def look(self, batch: str) -> Batch:
        """How far a batch is."""

        async def once(client: AsyncOpenAI) -> Batch:
            return read_batch(await client.batches.retrieve(batch, extra_headers=self.wire.headers()))

        try:
            return await self._call(once)
        except UnknownModel as exc:  # what a 404 means where a model was asked
            reason = f": {said.rstrip('.')}" if (said := exc.detail.get("reason")) else ""
            raise ProviderError(
                f"{self.wire.border.place} does not know the batch {batch} (404){reason}.",
                hint="Use the key and the base URL that it was ordered with. Where it is gone for good, move the folder "
                "batches out of the run folder: its requests are then sent, and paid, again.",
                **exc.detail,
            ) from None

    async def fetch(self, file: str, to: Path) -> bool:
        """Write a file's content to `to`, whole or not at all; False where the provider does not have it any more."""
        beside = to.with_suffix(".part")

        async def once(client: AsyncOpenAI) -> None:
            content = client.files.with_streaming_response.content(file, extra_headers=self.wire.headers())
            async with content as response:
                with beside.open("wb") as out:
                    async for piece in response.iter_bytes():
                        out.write(piece)
            beside.replace(to)

        try:
            await self._call(once)
        except UnknownModel:  # what a 404 means where a model was asked
            return False
        return True

    async def aclose(self) -> None:
        await self.wire.aclose()

    async def _find_file(self, client: AsyncOpenAI, name: str) -> str | None:
        number = 0
        async for file in client.files.list(purpose="batch", extra_headers=self.wire.headers()):
            number += 1
            if file.filename == name:
                return file.id
            if number >= RECENT:
                break
        return None

    async def _find_batch(self, client: AsyncOpenAI, mark: str) -> Batch | None:
        number = 0
        async for batch in client.batches.list(extra_headers=self.wire.headers()):
            number += 1
            if (batch.metadata or {}).get(MARK) == mark:
                return read_batch(batch)
            if number >= RECENT:
                break
        return None

    async def _call(self, once: Callable[[AsyncOpenAI], Awaitable[T]]) -> T:
        async def translated() -> T:
            async with self._border():
                return await once(self.wire.connect().client)

        return await with_retries(translated, attempts=self._attempts, first_wait=self._first_wait)

    @asynccontextmanager
    async def _border(self) -> AsyncIterator[None]:
        import asyncio

        try:
            async with asyncio.timeout(self._timeout):
                yield
            return
        except TimeoutError:
            error: ExtractorError = CallTimeout(
                f"No full answer from {self.wire.border.place} within {self._timeout:g} seconds.",
                hint="Raise timeout.",
            )
        except (ExtractorError, OSError):
            raise
        except Exception as exc:  # openai and the HTTP libraries have no common root; all of it is translated
            error = self.wire.translate(exc, self._model, answer_began=False)
        raise error


def read_batch(raw: RawBatch) -> Batch:
    """A batch out of openai's."""
    counts = raw.request_counts
    faults = raw.errors.data if raw.errors and raw.errors.data else []
    return Batch(
        id=raw.id,
        status=raw.status,
        done=counts.completed + counts.failed if counts else 0,
        total=counts.total if counts else 0,
        outputs=tuple(file for file in (raw.output_file_id, raw.error_file_id) if file),
        faults=tuple(Fault(str(one.code or ""), str(one.message or ""), one.line) for one in faults),
    )
