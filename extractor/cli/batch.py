"""`extractor batch`: a folder in, a run folder out."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from extractor.cli import options
from extractor.cli.app import app
from extractor.terminal import plain

if TYPE_CHECKING:
    from extractor.api import Extractor
    from extractor.llm.base import Meter
    from extractor.runs.reading.walking import SourceOptions
    from extractor.runs.runner import Runner
    from extractor.runs.summary import RunSummary

GRACE = 10.0
SUSPICIOUS = 10
SIGNALS = {"SIGINT": 130, "SIGTERM": 143, "SIGHUP": 129}


@app.command()
def batch(
    folder: Annotated[Path, typer.Argument(help="The folder that holds the documents.")],
    out: Annotated[
        Path, typer.Option(help="The run folder; the same one again goes on where it stopped.", metavar="RUN")
    ],
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Try failed documents again.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Count documents, chunks, tokens and cost; ask nothing.")
    ] = False,
    include: Annotated[
        list[str] | None,
        typer.Option(help="Only files that match, as .gitignore would: 2024/, *.txt.", metavar="PATTERN"),
    ] = None,
    exclude: Annotated[list[str] | None, typer.Option(help="No files that match.", metavar="PATTERN")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Progress and summary as JSON events on stderr.")] = False,
    no_report: Annotated[bool, typer.Option("--no-report", help="Do not write report.html.")] = False,
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
    concurrency: options.Concurrency = None,
    rpm: Annotated[float | None, typer.Option(help="The most requests a minute.")] = None,
    tpm: Annotated[float | None, typer.Option(help="The most tokens a minute.")] = None,
    budget: Annotated[float | None, typer.Option(help="Stop before more than this is spent.", metavar="AMOUNT")] = None,
    max_tokens_total: Annotated[
        int | None, typer.Option(help="Stop before more tokens than these are used.", metavar="N")
    ] = None,
    max_requests: Annotated[int | None, typer.Option(help="Stop after this many requests.", metavar="N")] = None,
    table: Annotated[str | None, typer.Option("--format", help="Also write flat tables: csv or parquet.")] = None,
    fields: Annotated[
        list[str] | None, typer.Option("--field", help="A field of JSON or CSV: text=body.", metavar="OURS=THEIRS")
    ] = None,
    patience: Annotated[float | None, typer.Option(help="Seconds to wait in all for an endpoint that is down.")] = None,
    passes: options.Passes = None,
    via: Annotated[
        str | None, typer.Option(help="live, or batch-api: the provider's batches, slow and about half the price.")
    ] = None,
    poll: Annotated[float | None, typer.Option(help="Seconds between two looks at a provider's batch.")] = None,
) -> None:
    """Extract a folder of documents; run it again to go on where it stopped."""
    from extractor.api import Extractor
    from extractor.runs.reading.walking import SourceOptions

    extractor = Extractor(
        model=model, base_url=base_url, prompt=prompt, ontology=ontology, replay=replay, record=record, cache=cache,
        cache_dir=cache_dir, mode=mode, timeout=timeout, concurrency=concurrency, rpm=rpm, tpm=tpm, patience=patience,
        budget=budget, max_tokens_total=max_tokens_total, max_requests=max_requests, via=via, batch_poll=poll, passes=passes,
    )  # fmt: skip
    source = SourceOptions(tuple(include or ()), tuple(exclude or ()), _mapping(fields))
    if table not in (None, "csv", "parquet"):
        raise typer.BadParameter("--format is csv or parquet; results.jsonl is always written")
    if dry_run:
        _estimate(folder, extractor, source)
        return
    summary, code = asyncio.run(_run(folder, out, extractor, source, retry_failed, quiet, as_json))
    # Who stopped it by a signal wants it stopped: report and tables are for the run that goes on.
    finished = code not in SIGNALS.values()
    report = not no_report and bool(summary.documents) and finished
    try:
        if report:
            _report(summary, folder)
        if table is not None and finished:
            _write_tables(table, summary)
    except KeyboardInterrupt:  # the data set is whole; the page or the tables may be of an earlier run
        report, code = False, SIGNALS["SIGINT"]
    try:
        _tell(summary, as_json, report, table if finished else None)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
    sys.exit(code)


async def _run(
    folder: Path, out: Path, extractor: Extractor, source: SourceOptions, retry_failed: bool, quiet: bool, as_json: bool
) -> tuple[RunSummary, int]:
    """The run with its progress shown and its signals heard; the summary and the exit code."""
    from extractor.cli.progress import follow, shower
    from extractor.runs.run import run_folder
    from extractor.runs.sources import count_source

    heard: list[str] = []
    tasks: list[asyncio.Task[None]] = []
    with shower(count_source(folder, source), quiet=quiet, as_json=as_json) as show:

        def watch(runner: Runner, meter: Meter) -> None:
            for earlier in tasks:
                earlier.cancel()
            tasks.append(asyncio.create_task(follow(show, runner.progress, meter)))
            _hear(runner, heard)
            watched.append((runner, meter))

        watched: list[tuple[Runner, Meter]] = []
        try:
            summary = await run_folder(
                folder, out, extractor, retry_failed=retry_failed, source_options=source, watch=watch
            )
        finally:
            for task in tasks:
                task.cancel()
        runner, meter = watched[-1]
        with suppress(OSError):
            show.show(runner.progress, meter, summary.seconds, last=True)
    return summary, SIGNALS[heard[0]] if heard else summary.exit_code


def _hear(runner: Runner, heard: list[str]) -> None:
    """The first signal stops taking documents and gives those in flight ten seconds; the second stops at once."""
    loop = asyncio.get_running_loop()

    def stop(name: str) -> None:
        heard.append(name)
        if len(heard) > 1:
            runner.cancel()
            return
        runner.stop(name)
        loop.call_later(GRACE, runner.cancel)
        with suppress(OSError):
            typer.echo(f"{name}: finishing what is in flight (up to {GRACE:g} s); once more to stop at once.", err=True)

    for name in SIGNALS:
        number = getattr(signal, name)
        # nohup wants it ignored; a shell ignores SIGINT for what it puts into the background, where it is still a wish to stop.
        if name != "SIGHUP" or signal.getsignal(number) is not signal.SIG_IGN:
            loop.add_signal_handler(number, stop, name)


def _estimate(folder: Path, extractor: Extractor, source: SourceOptions) -> None:
    from extractor.runs.estimate import estimate

    found = estimate(folder, extractor, source)
    cost = (
        f", about ${found.cost:.2f}" if found.cost is not None else ", cost unknown (set price_input and price_output)"
    )
    typer.echo(
        f"{found.documents:,} documents in {found.requests:,} requests, about {found.prompt_tokens:,} tokens of prompts and "
        f"{found.completion_tokens:,} of answers{cost}. {found.unreadable:,} cannot be read. Nothing was asked."
    )


def _mapping(fields: list[str] | None) -> dict[str, str]:
    """`text=body` -> {"text": "body"}"""
    from extractor.runs.reading.records import FIELDS

    pairs = dict(item.partition("=")[::2] for item in fields or [])
    if not set(pairs) <= set(FIELDS) or not all(pairs.values()):
        raise typer.BadParameter(f"--field takes OURS=THEIRS, with one of {', '.join(FIELDS)} before the =")
    return pairs


def _write_tables(kind: str, summary: RunSummary) -> None:
    from extractor.evaluation.evaluate import read_results
    from extractor.exports.write import write_export

    write_export(kind, read_results(summary.folder), summary.folder)


def _report(summary: RunSummary, folder: Path) -> None:
    from extractor.evaluation.evaluate import read_results
    from extractor.report.write import write_report

    results = read_results(summary.folder)
    finished = sum(summary.states.get(state, 0) for state in ("done", "empty"))
    write_report(summary.folder, results, title=folder.resolve().name, documents=finished)


def _tell(summary: RunSummary, as_json: bool, report: bool, table: str | None) -> None:
    """What came of it, where it is, and what to do about what failed."""
    if as_json:
        typer.echo(_as_event(summary), err=True)
        return
    stale = _stale(summary, report, table)
    lines = [*_counted(summary), *_remarks(summary), *stale, *_ways(summary, report)]
    typer.echo("\n".join(plain(line) for line in lines), err=True)


def _counted(summary: RunSummary) -> list[str]:
    states = ", ".join(f"{number:,} {state}" for state, number in sorted(summary.states.items()))
    rejected = sum(summary.rejections.values())
    more = "" if summary.whole else " The folder holds more, which were not counted."
    return [
        f"{summary.documents:,} documents: {states or 'none'}.{more}",
        f"{summary.events:,} events, {summary.relations:,} relations, {summary.entities:,} entities (counted in each document); "
        f"{rejected:,} items not kept.",
        f"{summary.calls:,} calls, {summary.cache_hits:,} from the cache{_replayed(summary)}, "
        f"{summary.skipped:,} documents skipped as finished; "
        f"{_spent(summary)}; {summary.seconds:.1f} s.",
    ]


def _spent(summary: RunSummary) -> str:
    """The tokens of all documents that are done, whenever they were asked about; and what was paid now, for others too."""
    tokens = summary.prompt_tokens + summary.completion_tokens
    told = _money(tokens, summary.cost or 0.0)
    if summary.spent_tokens == tokens:
        return told
    if not summary.spent_tokens:
        return f"{told} (none of it spent now)"
    return f"{told} in the results, {_money(summary.spent_tokens, summary.spent)} spent now"


def _money(tokens: int, cost: float) -> str:
    return f"{tokens:,} tokens" + (f", ${cost:.2f}" if cost else "")


def _remarks(summary: RunSummary) -> list[str]:
    """What is worth knowing, where it happened."""
    counts = {name: getattr(summary, name) for name in ("retries", "pauses", "repairs", "splits", "recovered")}
    happened = [f"{name}={number:,}" for name, number in counts.items() if number]
    lines = ["On the way: " + ", ".join(happened) + "."] if happened else []
    if summary.possible_duplicate_charges:
        lines.append(
            f"possible_duplicate_charges={summary.possible_duplicate_charges}: calls that broke off while in flight."
        )
    if summary.dropped_bytes:
        lines.append(f"{summary.dropped_bytes:,} bytes behind the last whole result were dropped and are written anew.")
    if len(summary.models) > 1:
        answered = ", ".join(f"{model} {number:,}" for model, number in summary.models.items())
        lines.append(f"The model that answered changed in this run: {answered} replies.")
    if summary.missing:
        lines.append(
            f"{len(summary.missing):,} documents of earlier runs are gone from the folder, or not chosen by the patterns: "
            f"{summary.missing[0]}{' ...' if len(summary.missing) > 1 else ''}"
        )
    lines += summary.overlooked
    if summary.documents >= SUSPICIOUS and summary.states.get("empty") == summary.documents:
        lines.append("Warning: nothing was found in any document (empty: 100 %). Look at the endpoint and the prompt.")
    return lines


def _ways(summary: RunSummary, report: bool) -> list[str]:
    read = f"; to read them: {summary.folder / 'report.html'}" if report else ""
    lines = [f"Results: {summary.folder / 'results.jsonl'}{read}."]
    if summary.failed:
        lines.append(
            f"{summary.failed:,} failed: see {summary.folder / 'failures.jsonl'}; try them again with --retry-failed."
        )
    if summary.stopped:
        lines.append(f"Stopped: {_sentence(summary.stopped)}{_how_to_go_on(summary, summary.stopped)}")
    return lines


def _how_to_go_on(summary: RunSummary, stopped: str) -> str:
    """Where what stopped it has not said so already."""
    again = "Run the same command again"
    if again in stopped:
        return ""
    if summary.pending or not summary.whole:
        return f" {again} to go on; what is finished is not asked again."
    return f" {again} for the page; nothing is left to be asked."


def _stale(summary: RunSummary, report: bool, table: str | None) -> list[str]:
    """Files of an earlier run that the results have left behind."""
    from extractor.exports.tables import COLUMNS

    left = [f"{name}.{kind}" for kind in ("csv", "parquet") if kind != table for name in COLUMNS]
    left += [] if report else ["report.html"]
    stale = [name for name in left if (summary.folder / name).exists()]
    changed = summary.skipped < summary.documents or summary.missing
    return [f"Of an earlier run, and not written anew: {', '.join(stale)}."] if stale and changed else []


def _replayed(summary: RunSummary) -> str:
    return f", {summary.replayed:,} replayed" if summary.replayed else ""


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _as_event(summary: RunSummary) -> str:
    import json
    from dataclasses import asdict

    event: dict[str, Any] = {"event": "summary", **asdict(summary)}
    return json.dumps(event, ensure_ascii=False, default=str)
