"""The commands, and how errors become exit codes."""

from __future__ import annotations

import os
import sys
import traceback
from typing import Annotated, NoReturn

import typer

from extractor.errors import CassetteError, ExtractorError, SettingsError, StorageError
from extractor.version import VERSION

INTERNAL_BUG = 70
INTERRUPTED = 130
# typer keeps its copy of click to itself; what it raises for a wrong command line is the parent of this.
USAGE_ERROR: type[typer.BadParameter] = typer.BadParameter.__bases__[0]

app = typer.Typer(
    name="extractor",
    help="Folders of news reports in, a data set of typed, evidence-grounded events and relations out.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"extractor {VERSION}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


def run() -> None:
    """Run the command line; every expected fault ends in one line on stderr and its exit code."""
    _register()
    try:
        if app(standalone_mode=False) == INTERRUPTED:  # typer gives back an exit code for Ctrl-C, and raises nothing
            _interrupted()
    except ExtractorError as exc:
        _say(exc)
        sys.exit(exc.exit_code)
    except USAGE_ERROR as exc:
        exc.show()
        sys.exit(exc.exit_code)
    except (typer.Abort, KeyboardInterrupt):
        _interrupted()
    except BrokenPipeError:
        # The reader of our output went away: nothing is left to say, and nothing is to be said at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as exc:
        _say(StorageError(f"{exc.strerror or exc}{f': {os.fsdecode(exc.filename)!r}' if exc.filename else ''}."))
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what waits there is not tried again at exit
        sys.exit(StorageError.exit_code)
    except Exception:  # all that users can cause has a class of its own above: this is ours
        traceback.print_exc()
        print("extractor: this is a bug of extractor's; please report it with the lines above.", file=sys.stderr)
        sys.exit(INTERNAL_BUG)


def _interrupted() -> NoReturn:
    print("extractor: interrupted", file=sys.stderr)
    sys.exit(INTERRUPTED)


def _say(error: ExtractorError) -> None:
    """One line, but for messages of our own that have several: what differs from a recording, the ways to give an LLM."""
    from extractor.terminal import plain

    lines = str(error).split("\n") if isinstance(error, CassetteError | SettingsError) else [str(error)]
    print("extractor: " + "\n".join(plain(line) for line in lines), file=sys.stderr)


def _register() -> None:
    """Hang in the commands. Each file imports what it needs inside its functions, so that --help stays fast."""
    from extractor.cli import (  # noqa: F401  (each hangs its commands into `app`)
        batch,
        cache,
        cassettes,
        doctor,
        evaluate,
        export,
        extract,
        prompts,
        report,
        verify,
    )

    app.add_typer(prompts.app, name="prompts")
    app.add_typer(cassettes.app, name="cassettes")
    app.add_typer(cache.app, name="cache")
