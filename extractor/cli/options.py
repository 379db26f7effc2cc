"""Options that several commands share, declared once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Model = Annotated[str | None, typer.Option(help="Model to ask.")]
BaseUrl = Annotated[str | None, typer.Option(help="OpenAI-compatible endpoint.", metavar="URL")]
Prompt = Annotated[str | None, typer.Option(help="Prompt: plover, plover@1.0, plover@1.0.0, or a .md file.")]
Ontology = Annotated[str | None, typer.Option(help="Ontology: plover, or a .yaml file.")]
Replay = Annotated[
    Path | None, typer.Option(help="Answer from the cassettes in DIR; no network, no key.", metavar="DIR")
]
Record = Annotated[Path | None, typer.Option(help="Write the exchanges into DIR.", metavar="DIR")]
Cache = Annotated[
    bool | None, typer.Option("--cache/--no-cache", help="Keep replies, and serve them again. On unless said.")
]
CacheDir = Annotated[Path | None, typer.Option(help="Where replies are kept.", metavar="DIR")]
Mode = Annotated[str | None, typer.Option(help="auto, json_schema, tools or json.")]
Timeout = Annotated[float | None, typer.Option(help="Seconds for one call.")]
Concurrency = Annotated[int | None, typer.Option(help="The most documents at once.", metavar="N")]
Passes = Annotated[
    int | None, typer.Option(help="Ask so often, and give each fact the share of passes that found it.", metavar="N")
]
PromptsDir = Annotated[
    Path | None,
    typer.Option(
        "--prompts-dir", help="The folder of prompts; else that of the settings, or the shipped one.", metavar="DIR"
    ),
]


def prompts_dir(given: Path | None) -> Path | None:
    """The folder of prompts that was named, here or in the settings."""
    from extractor.config import load_settings

    return load_settings(prompts_dir=given).prompts_dir
