"""One JSON object out of a text that wraps it: reasoning tags, code fences, a sentence before or after.

The rules are fixed, so that the same text always gives the same object; each that was used is named.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from extractor.errors import Unreadable

THINKING = re.compile(r"\A\s*<(think|thinking|reasoning|thought)>.*?</\1>", re.DOTALL | re.IGNORECASE)
OPEN_ENDED = re.compile(
    r"\A(?:(?!<think|<reasoning|<thought).)*?</(?:think|thinking|reasoning|thought)>", re.DOTALL | re.IGNORECASE
)
FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,})[ \t]*([\w+-]*)[ \t]*\r?\n(.*?)^[ \t]*\1[ \t]*$", re.DOTALL | re.MULTILINE)
BLANK = "\ufeff\u200b\u200e\u200f\u2060 \t\r\n"
DECODER = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class Recovered:
    """The text of one JSON object, and the wrappings taken off, in order: bom, think, fence, prose."""

    text: str
    how: tuple[str, ...] = ()


def recover(text: str) -> Recovered:
    """The one JSON object in a text.

    A text that begins with "{" and ends with "}" is given back as it is, valid or not: what is in
    it is for the validator to say. Raises Unreadable where no object is found, or two.
    """
    stripped = text.strip(BLANK)
    if stripped.startswith("{") and stripped.endswith("}"):
        return Recovered(stripped, ("bom",) if _was_marked(text) else ())
    how = ["bom"] if _was_marked(text) else []
    bare = _without_thinking(stripped)
    if bare != stripped:
        how.append("think")
    fenced = [body.strip(BLANK) for _, _, body in FENCE.findall(bare)]
    objects = [body for body in fenced if body.startswith("{")]
    if objects:
        return Recovered(_only(objects, text), (*how, "fence"))
    if bare.startswith("{") and bare.endswith("}"):
        return Recovered(bare, tuple(how))
    return Recovered(_only(_objects(bare), text), (*how, "prose"))


def _was_marked(text: str) -> bool:
    return text.lstrip(" \t\r\n")[:1] in ("\ufeff", "\u200b", "\u200e", "\u200f", "\u2060")


def _without_thinking(text: str) -> str:
    for pattern in (THINKING, OPEN_ENDED):
        if match := pattern.match(text):
            return text[match.end() :].strip(BLANK)
    return text


def _objects(text: str) -> list[str]:
    """Every JSON object that stands in the text and in no other."""
    found: list[str] = []
    at = text.find("{")
    while at >= 0 and len(found) < 3:
        end = _end(text, at)
        if end is not None:
            found.append(text[at:end])
        at = text.find("{", at + 1 if end is None else end)
    return found


def _end(text: str, start: int) -> int | None:
    try:
        return DECODER.raw_decode(text, start)[1]
    except (ValueError, RecursionError):
        return None


def _only(objects: list[str], text: str) -> str:
    if len(objects) == 1:
        return objects[0]
    what = (
        "holds no JSON object" if not objects else "holds more than one JSON object, and nothing says which one counts"
    )
    raise Unreadable(f"The answer {what}.", reply_text=text[:2000])
