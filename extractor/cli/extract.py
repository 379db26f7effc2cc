"""`extractor extract`, `extractor schema`: one document, and the shape of what comes out."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from extractor.cli import options
from extractor.cli.app import app


@app.command()
def extract(
    file: Annotated[str, typer.Argument(help="A text file, or - for standard input.")],
    published: Annotated[str | None, typer.Option(help="Day of publication, YYYY-MM-DD.")] = None,
    language: Annotated[str | None, typer.Option(help="ISO 639-1 code; detected where not given.")] = None,
    pretty: Annotated[
        bool, typer.Option("--pretty", help="Readable text instead of JSON: tables, or blocks below 120 columns.")
    ] = False,
    model: options.Model = None,
    base_url: options.BaseUrl = None,
    prompt: options.Prompt = None,
    ontology: options.Ontology = None,
    replay: options.Replay = None,
    record: options.Record = None,
    cache: options.Cache = None,
    cache_dir: options.CacheDir = None,
    mode: options.Mode = None,
    timeout: options.Timeout = None,
) -> None:
    """Extract the events, entities and relations of one document; JSON to standard output."""
    from extractor.api import Extractor
    from extractor.documents import as_document
    from extractor.runs.sources import read_document

    document = as_document(read_document(file), published=published, language=language)
    with Extractor(
        model=model, base_url=base_url, prompt=prompt, ontology=ontology, replay=replay, record=record,
        cache=cache, cache_dir=cache_dir, mode=mode, timeout=timeout,
    ) as extractor:  # fmt: skip
        extraction = extractor.extract(document)
    if pretty:
        from extractor.cli.tables import print_extraction

        print_extraction(extraction)
    else:
        sys.stdout.write(extraction.model_dump_json(indent=2) + "\n")


@app.command()
def schema(
    answer: Annotated[bool, typer.Option("--answer", help="The schema that the LLM is held to, instead.")] = False,
    ontology: Annotated[str, typer.Option(help="Ontology, for --answer.")] = "plover",
) -> None:
    """Print the JSON Schema of an extraction."""
    import json

    if answer:
        from extractor.answers import answer_schema
        from extractor.ontology import load_ontology

        shape = json.loads(answer_schema(load_ontology(ontology)).text)
    else:
        from extractor.models import Extraction

        shape = Extraction.model_json_schema(mode="serialization")
    typer.echo(json.dumps(shape, ensure_ascii=False, indent=2))
