"""What stands in the way of a run: settings, prompt, ontology, folders, and the endpoint with its ways of keeping to a schema."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from extractor.config import Settings
from extractor.errors import ExtractorError, Unreadable
from extractor.llm.base import AnswerSchema, Message, Meter, Request, canonical
from extractor.recovery import recover
from extractor.task import load_task

PROBE = "Answer with one JSON object that satisfies the schema: an object with the one field `word`, whose value is `ready`."
SCHEMA = {
    "type": "object",
    "properties": {"word": {"type": "string", "enum": ["ready"]}},
    "required": ["word"],
    "additionalProperties": False,
}
MODES = ("json_schema", "tools", "json")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at, and how it stands."""

    what: str
    good: bool
    detail: str
    exit_code: int = 0


async def check(settings: Settings, *, ask: bool) -> list[Finding]:
    """All findings, in the order in which a run would meet them."""
    findings = [_task(settings), _cache(settings)]
    if settings.replay is not None:
        return [*findings, _cassettes(settings.replay)]
    if ask:
        modes = MODES if settings.mode == "auto" else (settings.mode,)
        findings += _told_once([await _mode(settings, mode) for mode in modes])
    return findings


def _told_once(modes: list[Finding]) -> list[Finding]:
    """What stands in the way of every mode alike, such as a missing key, is one finding about the endpoint."""
    first, *others = modes
    if not first.good and all(replace(other, what=first.what) == first for other in others):
        return [replace(first, what="endpoint")]
    return modes


def _task(settings: Settings) -> Finding:
    try:
        task = load_task(settings.prompt, settings.ontology, settings.prompts_dir)
    except ExtractorError as exc:
        return Finding("prompt", False, str(exc), exc.exit_code)
    return Finding(
        "prompt", True, f"{task.prompt.ref} under {task.ontology.ref}, {len(task.system.content):,} characters"
    )


def _cache(settings: Settings) -> Finding:
    if not settings.cache:
        return Finding("cache", True, "off")
    from extractor.llm.cache import ReplyCache

    try:
        cache = ReplyCache(settings.cache_dir)
    except ExtractorError as exc:
        return Finding("cache", False, str(exc), exc.exit_code)
    try:
        return Finding("cache", True, f"{cache.stats()['entries']:,} replies in {settings.cache_dir}")
    finally:
        cache.close()


def _cassettes(place: Path) -> Finding:
    from extractor.llm.cassette import Reel

    try:
        reel = Reel(place).load()
    except ExtractorError as exc:
        return Finding("cassettes", False, str(exc), exc.exit_code)
    return Finding(
        "cassettes", bool(reel.replies), f"{len(reel.replies):,} exchanges in {place}", 0 if reel.replies else 2
    )


async def _mode(settings: Settings, mode: str) -> Finding:
    """Ask the endpoint one small question in one mode, and see whether it kept to the schema."""
    from extractor.wiring import build_llm

    what = f"endpoint, {mode}"
    one_try = settings.model_copy(update={"mode": mode, "cache": False, "record": None, "attempts": 1})
    request = Request(
        (Message("user", PROBE),), AnswerSchema("probe", canonical(SCHEMA)), settings.model, settings.parameters()
    )
    try:
        llm = build_llm(one_try, Meter())
        try:
            reply = await llm.complete(request)
        finally:
            await llm.aclose()
    except ExtractorError as exc:
        return Finding(what, False, str(exc), exc.exit_code)
    kept = _keeps(reply.text)
    detail = f"{reply.model or settings.model} answers" + (
        "" if kept else f", but not by the schema: {reply.text[:80]!r}"
    )
    return Finding(what, kept, detail, 0 if kept else 2)


def _keeps(text: str) -> bool:
    """Whether a run could use it: bare, in a fence, or behind what the model thought."""
    import json

    try:
        return bool(json.loads(recover(text).text) == {"word": "ready"})
    except (ValueError, Unreadable):
        return False
