"""The copy of a text that the LLM sees: without what only machines read.

The document itself is never touched. Removed are tag characters and bidi controls (they can hide
instructions); control tokens of chat templates are broken up with a space. Half-spaces stay: they
are spelling. Quotes out of the copy are found again in the document, since both are folded alike.
"""

from __future__ import annotations

import re

HIDDEN = (
    "\U000e0000-\U000e007f"  # tags
    "\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069"  # bidi marks, embeddings, overrides, isolates
    "\ufeff\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f"  # byte order mark, controls but tab and line ends
)
INVISIBLE = re.compile(f"[{HIDDEN}]")
SURROGATES = re.compile("[\ud800-\udfff]")
# Without any of these a text is its own copy: most are, and are looked through once.
SUSPECT = re.compile(f"[{HIDDEN}\ud800-\udfff<\\[]")
CONTROL_TOKEN = re.compile(
    r"<(?=\|)"  # <|im_start|>, <|endoftext|>
    r"|<(?=/?(?:s|think|bos|eos|start_of_turn|end_of_turn|system|assistant|user)>)"
    r"|<(?=</?SYS>>)"
    r"|\[(?=/?INST\])"
)


def for_model(text: str) -> str:
    """The text without hidden characters and without control tokens; lone surrogates become U+FFFD."""
    if not SUSPECT.search(text):
        return text
    copy = SURROGATES.sub("\ufffd", INVISIBLE.sub("", text))
    return CONTROL_TOKEN.sub(lambda match: match[0] + " ", copy)
