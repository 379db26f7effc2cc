"""The command line: exit codes, one-line errors, nothing half written, no key anywhere."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from extractor import fake_faults
from extractor.fake_endpoint import FakeEndpoint

KEY = "sk-planted-0123456789abcdef"
EMPTY = {"entities": [], "events": [], "relations": []}


def command(
    *arguments: str | Path, env: dict[str, str] | None = None, cwd: Path | None = None, stdin: bytes = b""
) -> Any:
    """The real command in a process of its own."""
    full = [sys.executable, "-c", "from extractor.cli import main; main()", *map(str, arguments)]
    return subprocess.run(full, capture_output=True, env=os.environ | (env or {}), cwd=cwd, input=stdin, timeout=90)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twelve small reports."""
    place = tmp_path / "reports"
    place.mkdir()
    for number in range(12):
        (place / f"r{number:02}.txt").write_text(
            f"Report {number}: the minister met the ambassador on Tuesday.", encoding="utf-8"
        )
    return place


BAD = {
    "no such folder": (["batch", "nosuch", "--out", "run"], 2, "no folder 'nosuch'"),
    "no such file": (["extract", "nosuch.txt"], 2, "nosuch.txt"),
    "an empty file": (["extract", "empty.txt", "--replay", "."], 2, "empty"),
    "a binary file": (["extract", "binary.txt", "--replay", "."], 2, "binary"),
    "five megabytes": (["extract", "huge.txt", "--replay", "."], 2, "at most"),
    "an unknown prompt": (["extract", "good.txt", "--prompt", "nosuch", "--replay", "."], 2, "plover"),
    "an unknown version": (["extract", "good.txt", "--prompt", "plover@9", "--replay", "."], 2, "1.0.0"),
    "an unknown ontology": (["extract", "good.txt", "--ontology", "nosuch", "--replay", "."], 2, "plover@1"),
    "no key, endpoint or cassettes": (["extract", "good.txt"], 2, "OPENAI_BASE_URL"),
    "a wrong day": (["extract", "good.txt", "--published", "yesterday", "--replay", "."], 2, "YYYY-MM-DD"),
    "a folder that cannot be written": (["batch", ".", "--out", "good.txt/run", "--replay", "."], 2, "--out"),
    "an unknown command": (["extrakt"], 2, "extrakt"),
    "a run that is none": (["report", "nosuch"], 2, "nosuch"),
    "cassettes that are not there": (["cassettes", "check", "nosuch"], 2, "no 'nosuch'"),
    "gold that is not there": (["eval", "nosuch", "--gold", "."], 2, "gold"),
}


@pytest.mark.parametrize(("arguments", "code", "words"), BAD.values(), ids=BAD)
def test_bad_input_gets_a_short_error_that_says_what_to_do(
    arguments: list[str], code: int, words: str, tmp_path: Path
) -> None:
    """The right exit code, no traceback, nothing written."""
    (tmp_path / "good.txt").write_text("A report.", encoding="utf-8")
    (tmp_path / "empty.txt").write_text("", encoding="utf-8")
    (tmp_path / "binary.txt").write_bytes(bytes(range(256)))
    (tmp_path / "huge.txt").write_text("word " * 1_000_000, encoding="utf-8")
    before = sorted(path.name for path in tmp_path.iterdir())
    done = command(*arguments, cwd=tmp_path)
    assert done.returncode == code, done.stderr.decode()
    assert words in done.stderr.decode() and "Traceback" not in done.stderr.decode()
    assert done.stdout == b""
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_extract_prints_json_to_stdout_and_a_table_when_asked(tmp_path: Path) -> None:
    """From a file or from standard input."""
    with FakeEndpoint(EMPTY) as endpoint:
        env = {"OPENAI_BASE_URL": endpoint.base_url}
        done = command("extract", "-", "--published", "2024-05-16", env=env, stdin=b"A report.")
        assert json.loads(done.stdout)["document"]["published"] == "2024-05-16"
        assert b"0 events" in command("extract", "-", "--pretty", env=env, stdin=b"A report.").stdout
    assert len(endpoint.requests) == 1, "the second was cached"


def test_settings_come_from_arguments_environment_file_and_defaults_in_this_order(tmp_path: Path) -> None:
    """doctor tells where each comes from, and masks the key."""
    (tmp_path / "extractor.toml").write_text('model = "from-file"\nconcurrency = 3\ntimeout = 9.0\n', encoding="utf-8")
    env = {"EXTRACTOR_CONCURRENCY": "5", "OPENAI_API_KEY": KEY, "COLUMNS": "150"}
    told = command("doctor", "--offline", "--model", "from-argument", env=env, cwd=tmp_path).stdout.decode()
    rows = {
        line.split("│")[1].strip(): [cell.strip() for cell in line.split("│")[2:4]]
        for line in told.splitlines()
        if line.count("│") == 4
    }
    assert rows["model"] == ["from-argument", "argument"]
    assert rows["concurrency"] == ["5", "EXTRACTOR_CONCURRENCY"]
    assert rows["timeout"] == ["9.0", "extractor.toml"]
    assert rows["api_key"] == ["set", "OPENAI_API_KEY"]
    assert rows["attempts"][1] == "default"
    assert KEY not in told


@pytest.mark.parametrize(
    ("line", "words"),
    [("modle = 'x'", "Unknown setting 'modle'"), ("timeout = 'long'", "timeout"), ("timeout = [", "TOML")],
)
def test_a_wrong_setting_is_named(line: str, words: str, tmp_path: Path) -> None:
    """With where it came from."""
    (tmp_path / "extractor.toml").write_text(line, encoding="utf-8")
    done = command("doctor", "--offline", cwd=tmp_path)
    assert done.returncode == 2 and words in done.stderr.decode() and "Traceback" not in done.stderr.decode()


def test_doctor_tells_what_the_endpoint_can_do() -> None:
    """Each way of keeping to a schema is asked for once."""
    with FakeEndpoint('{"word": "ready"}', modes=("tools",)) as endpoint:
        done = command("doctor", "--base-url", endpoint.base_url, env={"COLUMNS": "150"})
    told = done.stdout.decode()
    assert "FAIL  endpoint, json_schema" in told and "ok    endpoint, tools" in told
    assert done.returncode == 4


def test_batch_counts_add_up_and_a_second_run_asks_nothing(folder: Path, tmp_path: Path) -> None:
    """Exit 0, results, report and run.json are there."""
    with FakeEndpoint(EMPTY) as endpoint:
        env = {"OPENAI_BASE_URL": endpoint.base_url, "OPENAI_API_KEY": KEY}
        first = command("batch", folder, "--out", tmp_path / "run", env=env)
        again = command("batch", folder, "--out", tmp_path / "run", env=env)
    assert (first.returncode, again.returncode, len(endpoint.requests)) == (0, 0, 12)
    assert (
        "12 documents: 12 empty" in first.stderr.decode()
        and "12 documents skipped as finished" in again.stderr.decode()
    )
    assert {path.name for path in (tmp_path / "run").iterdir()} >= {
        "results.jsonl",
        "failures.jsonl",
        "run.json",
        "report.html",
    }


def test_a_failed_document_is_in_failures_and_tried_again_when_asked(folder: Path, tmp_path: Path) -> None:
    """Exit 3; the others are done; the file says which, at which stage, why."""
    (folder / "binary.txt").write_bytes(b"\x00\x01")
    with FakeEndpoint({"Report 3:": [fake_faults.refusal(), EMPTY], "": EMPTY}) as endpoint:
        env = {"OPENAI_BASE_URL": endpoint.base_url}
        done = command("batch", folder, "--out", tmp_path / "run", env=env)
        failures = [
            json.loads(line) for line in (tmp_path / "run/failures.jsonl").read_text(encoding="utf-8").splitlines()
        ]
        assert done.returncode == 3
        assert [(f["document"], f["stage"], f["class"]) for f in failures] == [
            ("binary.txt", "read", "DocumentError"),
            ("r03.txt", "extract", "Refused"),
        ]
        (folder / "binary.txt").unlink()
        again = command("batch", folder, "--out", tmp_path / "run", "--retry-failed", env=env)
    assert again.returncode == 0 and (tmp_path / "run/failures.jsonl").read_bytes() == b""
    assert len((tmp_path / "run/results.jsonl").read_bytes().splitlines()) == 12


def test_a_wrong_key_stops_the_run_and_leaves_all_pending(folder: Path, tmp_path: Path) -> None:
    """Exit 4, few calls, and the way to go on."""
    with FakeEndpoint([fake_faults.status(401, f"Incorrect API key provided: {KEY}")]) as endpoint:
        done = command(
            "batch",
            folder,
            "--out",
            tmp_path / "run",
            "--concurrency",
            "2",
            env={"OPENAI_BASE_URL": endpoint.base_url, "OPENAI_API_KEY": KEY},
        )
    assert (done.returncode, len(endpoint.requests) <= 2) == (4, True)
    assert "12 pending" in done.stderr.decode() or "pending" in done.stderr.decode()
    assert KEY not in done.stderr.decode()


def test_a_dead_endpoint_stops_the_run_as_resumable(folder: Path, tmp_path: Path) -> None:
    """Exit 4; nobody failed; with the endpoint back, the same command finishes."""
    with FakeEndpoint(EMPTY) as endpoint:
        port = endpoint.port
    env = {"OPENAI_BASE_URL": f"http://127.0.0.1:{port}/v1", "EXTRACTOR_ATTEMPTS": "1", "EXTRACTOR_PATIENCE": "0"}
    done = command("batch", folder, "--out", tmp_path / "run", env=env)
    assert done.returncode == 4 and "failed" not in done.stderr.decode().split("documents:")[1].split(".")[0]
    with FakeEndpoint(EMPTY, port=port):
        assert command("batch", folder, "--out", tmp_path / "run", env=env).returncode == 0


def started(folder: Path, out: Path, endpoint: FakeEndpoint, *more: str) -> subprocess.Popen[bytes]:
    full = [
        sys.executable,
        "-c",
        "from extractor.cli import main; main()",
        "batch",
        str(folder),
        "--out",
        str(out),
        "--no-report",
        *more,
    ]
    return subprocess.Popen(full, env=os.environ | {"OPENAI_BASE_URL": endpoint.base_url}, stderr=subprocess.PIPE)


def clean_run(folder: Path, out: Path) -> bytes:
    with FakeEndpoint(EMPTY) as endpoint:
        command(
            "batch",
            folder,
            "--out",
            out,
            "--no-report",
            env={"OPENAI_BASE_URL": endpoint.base_url, "EXTRACTOR_CACHE_DIR": str(out / "cache")},
        )
    return (out / "results.jsonl").read_bytes()


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
def test_a_signal_stops_cleanly_and_the_next_run_goes_on(name: str, code: int, folder: Path, tmp_path: Path) -> None:
    """What was in flight is finished; nothing is paid twice; the end result is that of a clean run."""
    with FakeEndpoint(EMPTY, latency=0.3) as endpoint:
        process = started(folder, tmp_path / "run", endpoint, "--concurrency", "2")
        while len(endpoint.requests) < 3:
            time.sleep(0.02)
        process.send_signal(getattr(signal, name))
        process.communicate(timeout=30)
        assert process.returncode == code
        paid = len(endpoint.requests)
        assert paid < 12
        done = command(
            "batch", folder, "--out", tmp_path / "run", "--no-report", env={"OPENAI_BASE_URL": endpoint.base_url}
        )
    assert (done.returncode, len(endpoint.requests)) == (0, 12)
    assert (tmp_path / "run/results.jsonl").read_bytes() == clean_run(folder, tmp_path / "clean")


def test_killed_at_random_moments_and_resumed_it_loses_nothing_and_pays_what_was_in_flight(
    folder: Path, tmp_path: Path
) -> None:
    """kill -9, five times over; the results are byte-equal to a clean run's."""
    dice, kills = random.Random(11), 0
    for number in range(12, 60):
        (folder / f"r{number:02}.txt").write_text(
            f"Report {number}: the minister met the ambassador.", encoding="utf-8"
        )
    with FakeEndpoint(EMPTY, latency=0.05) as endpoint:
        for _ in range(5):
            process, before = started(folder, tmp_path / "run", endpoint, "--concurrency", "2"), len(endpoint.requests)
            while len(endpoint.requests) < before + dice.randint(3, 9) and process.poll() is None:
                time.sleep(0.01)
            time.sleep(dice.random() * 0.05)
            kills += process.poll() is None
            process.kill()
            process.communicate()
        done = command(
            "batch", folder, "--out", tmp_path / "run", "--no-report", env={"OPENAI_BASE_URL": endpoint.base_url}
        )
    assert (done.returncode, kills) == (0, 5)
    assert 60 <= len(endpoint.requests) <= 60 + 2 * kills
    assert (tmp_path / "run/results.jsonl").read_bytes() == clean_run(folder, tmp_path / "clean")


def test_a_second_process_on_one_run_is_told_so(folder: Path, tmp_path: Path) -> None:
    """Exit 2, and who holds it."""
    with FakeEndpoint(EMPTY, latency=0.5) as endpoint:
        process = started(folder, tmp_path / "run", endpoint, "--concurrency", "1")
        while not endpoint.requests:
            time.sleep(0.02)
        second = command("batch", folder, "--out", tmp_path / "run", env={"OPENAI_BASE_URL": endpoint.base_url})
        process.kill()
        process.communicate()
    assert second.returncode == 2 and str(process.pid) in second.stderr.decode()


def test_no_key_is_in_any_file_or_stream_of_any_run(folder: Path, tmp_path: Path) -> None:
    """Planted in key, address and headers of the environment: streams, results, cache, cassettes, ledger and errors hold none."""
    secret = "planted-secret-4711"
    env = {
        "OPENAI_API_KEY": f"sk-{secret}", "OPENAI_ORG_ID": f"org-{secret}", "OPENAI_PROJECT_ID": f"proj-{secret}",
        "OPENAI_CUSTOM_HEADERS": f"x-secret: {secret}", "EXTRACTOR_RECORD": str(tmp_path / "cassettes"), "OPENAI_LOG": "debug",
    }  # fmt: skip
    with FakeEndpoint({"Report 2:": fake_faults.status(400, f"bad header {secret}"), "": EMPTY}) as endpoint:
        env["OPENAI_BASE_URL"] = endpoint.base_url
        runs = [
            command("batch", folder, "--out", tmp_path / "run", env=env),
            command("extract", folder / "r00.txt", env=env),
            command("doctor", env=env),
            command(
                "extract", folder / "r00.txt", env=env | {"OPENAI_BASE_URL": f"http://user:{secret}@127.0.0.1:1/v1"}
            ),
            command("extract", folder / "r00.txt", env=env | {"OPENAI_API_KEY": f"sk-{secret} x"}),
        ]
    assert [run.returncode for run in runs[:2]] == [3, 0] and runs[3].returncode == runs[4].returncode == 2
    assert all(secret.encode() not in run.stdout + run.stderr for run in runs)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) > 20
    for path in files:
        assert secret.encode() not in path.read_bytes(), path
    host = endpoint.base_url.removeprefix("http://").removesuffix("/v1").encode()
    assert all(host not in path.read_bytes() for path in (tmp_path / "cassettes").rglob("*.json"))


def test_cassettes_and_cache_from_the_command_line(folder: Path, tmp_path: Path) -> None:
    """Record, check, show, diff, export from and import into a cache, verify, clear."""
    cassettes, env = tmp_path / "cassettes", {"EXTRACTOR_CACHE_DIR": str(tmp_path / "c")}
    with FakeEndpoint(EMPTY) as endpoint:
        live = env | {"OPENAI_BASE_URL": endpoint.base_url, "EXTRACTOR_MODEL": "m"}
        recorded = command("cassettes", "record", folder, "--to", cassettes, "--note", "From a double.", env=live)
        again = command("cassettes", "record", folder, "--to", cassettes, env=live)
        command("batch", folder, "--out", tmp_path / "run", "--no-report", env=live)
    assert b"12 recorded, 0 there already" in recorded.stdout and b"0 recorded, 12 there already" in again.stdout
    assert len(endpoint.requests) == 12
    assert json.loads((cassettes / "r00.txt.json").read_text(encoding="utf-8"))["header"]["note"] == "From a double."
    for arguments in (
        ["cassettes", "check", cassettes, "--documents", folder], ["cassettes", "show", cassettes], ["cassettes", "diff", cassettes, cassettes],
        ["cassettes", "migrate", cassettes], ["cassettes", "prune", cassettes], ["cassettes", "export-cache", tmp_path / "run", "--to", tmp_path / "e"],
        ["cassettes", "import-cache", cassettes, "--cache-dir", tmp_path / "c2"], ["cache", "stats"], ["cache", "verify"],
        ["cache", "export", tmp_path / "replies.jsonl"], ["cache", "clear", "--yes"],
    ):  # fmt: skip
        done = command(*arguments, env=env)
        assert done.returncode == 0 and b"Traceback" not in done.stderr, (arguments, done.stderr)
    assert len((tmp_path / "replies.jsonl").read_bytes().splitlines()) == 12
    replayed = command("batch", folder, "--out", tmp_path / "again", "--replay", tmp_path / "e", "--no-report", env=env)
    assert replayed.returncode == 0
    assert (tmp_path / "again/results.jsonl").read_bytes() == (tmp_path / "run/results.jsonl").read_bytes()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device here that is always full")
def test_what_the_system_refuses_is_one_line() -> None:
    """A full disk behind the output, where no command expects it."""
    full = [sys.executable, "-c", "from extractor.cli import main; main()", "prompts", "list"]
    with open("/dev/full", "wb") as out:
        done = subprocess.run(full, stdout=out, stderr=subprocess.PIPE, timeout=90)
    assert done.returncode == 5
    assert done.stderr.decode() == "extractor: No space left on device.\n"


def test_a_bug_of_ours_says_that_it_is_one() -> None:
    """With what is needed to find it, and the exit code that no fault of the user has."""
    code = "from extractor.cli import app, main; app.app.command('boom')(lambda: 1 / 0); main()"
    done = subprocess.run([sys.executable, "-c", code, "boom"], capture_output=True, text=True, timeout=90)
    assert done.returncode == 70
    assert "ZeroDivisionError" in done.stderr and "please report it" in done.stderr.splitlines()[-1]
