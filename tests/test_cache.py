"""The cache keeps what was paid for, never serves what is damaged, and never runs what it holds."""

import asyncio
import os
import pickle
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from extractor.errors import ServerFault, StorageError
from extractor.llm.base import AnswerSchema, Message, Meter, Reply, Request, Tokens
from extractor.llm.cache import CachedLLM, Corrupt, ReplyCache
from extractor.llm.scripted import ScriptedLLM

REPLY = Reply(
    "متن «پاسخ» \u2028\ud83d\ude42".encode("utf-16", "surrogatepass").decode("utf-16"), "stop", "m", Tokens(1, 2, 3)
)
KEY = "ab" * 32


def request(text: str = "q", **more: object) -> Request:
    return Request((Message("user", text),), AnswerSchema("a", "{}"), "m", tuple(sorted(more.items())))  # type: ignore[arg-type]


def test_a_reply_comes_back_as_it_was(tmp_path: Path) -> None:
    """Text, finish reason, model and usage, also after closing."""
    cache = ReplyCache(tmp_path / "c")
    cache.set(KEY, REPLY)
    cache.close()
    assert ReplyCache(tmp_path / "c").get(KEY) == REPLY
    assert ReplyCache(tmp_path / "c").get("cd" * 32) is None
    assert oct((tmp_path / "c").stat().st_mode & 0o777) == "0o700"


def database(folder: Path) -> sqlite3.Connection:
    return sqlite3.connect(folder / "cache.db", isolation_level=None)


TAMPERED = {
    "garbage": ("UPDATE Cache SET value = 'garbage'", ()),
    "cut short": ("UPDATE Cache SET value = substr(value, 1, 40)", ()),
    "one letter changed": ("UPDATE Cache SET value = replace(value, 'stop', 'step')", ()),
    "a pickle": ("UPDATE Cache SET mode = 4, value = ?", (pickle.dumps(os.getcwd),)),
    "a file outside": ("UPDATE Cache SET mode = 3, filename = '../../etc/passwd'", ()),
}


@pytest.mark.parametrize(("change", "values"), TAMPERED.values(), ids=TAMPERED)
def test_a_tampered_entry_is_dropped_and_asked_anew(change: str, values: tuple[bytes, ...], tmp_path: Path) -> None:
    """Nothing is executed, no file is touched, nothing damaged is served."""
    outside = tmp_path / "etc"
    outside.mkdir()
    (outside / "passwd").write_text("mine")
    live, meter = ScriptedLLM(lambda r: "answer"), Meter()
    cache = ReplyCache(tmp_path / "a" / "c")
    llm = CachedLLM(live, cache, meter)
    asyncio.run(llm.complete(request()))
    with database(tmp_path / "a" / "c") as connection:
        connection.execute(change, values)
    with pytest.raises(Corrupt):
        cache.get(request().fingerprint())
    assert cache.verify() == [request().fingerprint()]
    with pytest.warns(UserWarning, match="asked anew"):
        assert asyncio.run(llm.complete(request())).text == "answer"
    assert (len(live.requests), meter.cache_corrupt, cache.verify()) == (2, 1, [])
    assert (outside / "passwd").read_text() == "mine"


def test_an_entry_of_another_format_is_left_and_not_misread(tmp_path: Path) -> None:
    """It counts as not there."""
    cache = ReplyCache(tmp_path / "c")
    cache.set(KEY, REPLY)
    with database(tmp_path / "c") as connection:
        connection.execute("UPDATE Cache SET value = '9 something of the future'")
    assert cache.get(KEY) is None


def test_truncated_replies_and_errors_are_not_kept(tmp_path: Path) -> None:
    """Only whole answers are."""
    live = ScriptedLLM([Reply("{", "length"), Reply("{}", "stop"), ServerFault("500")])
    llm = CachedLLM(live, ReplyCache(tmp_path / "c"))
    for expected in ("{", "{}", "{}"):
        assert asyncio.run(llm.complete(request())).text == expected
    with pytest.raises(ServerFault):
        asyncio.run(llm.complete(request("other")))
    assert len(list(llm.cache.keys())) == 1


@pytest.mark.parametrize(
    "changed", [request("other"), request(temperature=1), request(**{"pass": 2})], ids=["text", "parameter", "pass"]
)
def test_any_difference_is_another_question(changed: Request) -> None:
    """The key is everything that can change the answer."""
    assert changed.fingerprint() != request().fingerprint()


def test_nothing_is_evicted_unasked(tmp_path: Path) -> None:
    """Whatever size limit another opener once set."""
    import diskcache

    diskcache.Cache(str(tmp_path / "c"), size_limit=1000).close()
    cache = ReplyCache(tmp_path / "c")
    for number in range(300):
        cache.set(f"{number:064}", Reply("x" * 2000))
    assert len(list(cache.keys())) == 300


def test_eight_processes_writing_at_once_lose_nothing(tmp_path: Path) -> None:
    """Every acknowledged write is there."""
    code = (
        "import sys; from pathlib import Path; from extractor.llm.cache import ReplyCache; from extractor.llm.base import Reply\n"
        "cache = ReplyCache(Path(sys.argv[1]))\n"
        "for n in range(40): cache.set(f'{sys.argv[2]}-{n:02}', Reply('x' * 500))\n"
    )
    workers = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "c"), str(number)]) for number in range(8)]
    assert [worker.wait(60) for worker in workers] == [0] * 8
    cache = ReplyCache(tmp_path / "c")
    assert len(list(cache.keys())) == 320 and cache.verify() == []


def test_a_folder_that_cannot_be_written_and_a_damaged_database_are_told(tmp_path: Path) -> None:
    """With the path, and what to do; nothing is deleted."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError, match="--cache-dir"):
        ReplyCache(tmp_path / "file" / "c")
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "cache.db").write_bytes(b"garbage" * 1000)
    with pytest.raises(StorageError, match="damaged"):
        ReplyCache(tmp_path / "c").get(KEY)
    assert (tmp_path / "c" / "cache.db").read_bytes() == b"garbage" * 1000
