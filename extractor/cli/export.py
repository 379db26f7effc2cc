"""`extractor export`, `show`, `import-gold`: a run in other formats, in the terminal, and corrections back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from extractor.cli.app import app

Run = Annotated[Path, typer.Argument(help="A run folder made by extractor batch.", metavar="RUN")]


@app.command()
def export(
    run: Run,
    kind: Annotated[str, typer.Option("--format", help="graphml, jsonld, plover, csv, parquet, brat or label-studio.")],
    out: Annotated[Path, typer.Option(help="The file, or for csv, parquet and brat the folder.", metavar="PATH")],
) -> None:
    """Write a run in the format of another tool."""
    from extractor.evaluation.evaluate import read_results
    from extractor.exports.write import write_export

    for path in write_export(kind, read_results(run), out):
        typer.echo(str(path))


@app.command()
def show(
    run: Run,
    doc: Annotated[
        str | None,
        typer.Option(help="The document's id or path; without it, the run's documents are listed.", metavar="ID"),
    ] = None,
) -> None:
    """One document of a run in the terminal, its facts below its text; direction is left to the terminal."""
    from extractor.cli.tables import document_line, print_document
    from extractor.errors import DocumentError
    from extractor.evaluation.evaluate import read_results

    if doc is None:
        for extraction in read_results(run):
            typer.echo(document_line(extraction))
        return
    ids = []
    shown = False
    for extraction in read_results(run):
        if doc in (extraction.document.id, extraction.document.path):
            print_document(extraction)
            shown = True
        ids.append(extraction.document.id)
    if shown:
        return
    raise DocumentError(f"The run has no document {doc!r}.", hint=f"It has {_some(ids)}.")


def _some(ids: list[str]) -> str:
    shown, more = ids[:20], len(ids) - 20
    return ", ".join(shown) + (f" and {more:,} more" if more > 0 else "") if ids else "none"


@app.command("import-gold")
def import_gold(
    file: Annotated[Path, typer.Argument(help="A JSON export of Label Studio, of tasks made by extractor export.")],
    out: Annotated[Path, typer.Option(help="The folder for the <id>.gold.json files.", metavar="DIR")],
) -> None:
    """Turn corrections made in Label Studio into gold."""
    import json

    from extractor.errors import DocumentError
    from extractor.exports.folders import make_folder
    from extractor.exports.label_studio import gold_of_label_studio
    from extractor.llm.cassette import file_name
    from extractor.runs.files import replace_file

    try:
        tasks = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        raise DocumentError(f"Cannot read {file}: {exc}.", hint="Give a JSON export of Label Studio.") from None
    make_folder(out)
    written: set[Path] = set()
    for task in tasks:
        gold = gold_of_label_studio(task)
        path = out / f"{file_name(gold['document'])}.gold.json"
        if path in written:
            raise DocumentError(f"Two tasks are of a document {gold['document']!r}.", hint="Export each on its own.")
        written.add(path)
        replace_file(path, [(json.dumps(gold, ensure_ascii=False, indent=1) + "\n").encode()])
        typer.echo(str(path))
