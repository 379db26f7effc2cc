"""Batches beside the plain openai client and instructor: wall time against the ideal, rate limits, memory, cache, ledger.

python benchmarks/batch.py [--quick] [--only NAME ...]

The endpoint is a loopback server in a process of its own; each peer runs in a process of its own too, one after the other.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

LENGTH = 2500
PEERS = ("extractor", "openai", "instructor", "aiohttp")
COMMON = """در این باره مقام‌های محلی به خبرنگاران گفتند که بررسی پرونده ادامه دارد و نتیجه آن پس از پایان نشست شورای شهر اعلام
خواهد شد اما نمایندگان کارگران بندر باور دارند دستمزد سال گذشته هنوز پرداخت نشده است"""
WORDS = COMMON.split()
# What every report says, each once, and what the LLM makes of it: type, evidence, trigger, time.
FACTS = (
    ("CONSULT", "وزیر امور خارجه روز سه‌شنبه با همتای خود دیدار کرد", "دیدار کرد", "روز سه‌شنبه"),
    ("AGREE", "دو طرف روز ۲۵ اردیبهشت توافق تجارت دریایی را پذیرفتند", "پذیرفتند", "روز ۲۵ اردیبهشت"),
    ("PROTEST", "صدها تن دیروز در برابر ساختمان بندر تجمع کردند", "تجمع کردند", "دیروز"),
    ("ACCUSE", "سخنگوی دولت هیئت را به کارشکنی متهم کرد", "متهم کرد", None),
    ("REQUEST", "سفیر خواستار بازگشایی گذرگاه شد", "خواستار", None),
    ("REJECT", "استاندار هفته گذشته این درخواست را رد کرد", "رد کرد", "هفته گذشته"),
    ("AID", "هلال احمر کمک‌های غذایی به روستاها فرستاد", "فرستاد", None),
    ("COERCE", "پلیس شامگاه دوشنبه سه نفر را بازداشت کرد", "بازداشت کرد", "شامگاه دوشنبه"),
)
PARTIES = ("وزیر امور خارجه", "همتای خود", "هیئت", "سخنگوی دولت", "سفیر", "استاندار", "هلال احمر", "پلیس")


def text_of(number: int) -> str:
    """A report of 2,500 characters that no other is equal to."""
    dice = random.Random(number)
    pieces = [f"گزارش شماره {number}."]
    for _, evidence, _, _ in FACTS:
        pieces += [" ".join(dice.choices(WORDS, k=44)) + ".", evidence + "."]
    return " ".join(pieces)[:LENGTH]


def answer() -> dict[str, Any]:
    """About 2.8 KB: eight parties, eight events, all with their evidence in every report."""
    nothing: dict[str, Any] = {"aliases": [], "name_en": None, "country": None, "sector": None}
    entities = [{"id": n, "name": name, "type": "office", **nothing} for n, name in enumerate(PARTIES, 1)]
    rest: dict[str, Any] = {
        "modes": [], "contexts": [], "recipients": [], "participants": [], "place": None, "modality": "asserted",
        "source": None, "figures": [],
    }  # fmt: skip
    events = [
        {"evidence": evidence, "trigger": trigger, "type": kind, "actors": [n], "time": when, **rest}
        for n, (kind, evidence, trigger, when) in enumerate(FACTS, 1)
    ]
    return {"entities": entities, "events": events, "relations": []}


# -- peers: each is given the numbers of its documents and the endpoint, and does the same work ------------------------


async def run_openai(numbers: range, base_url: str, concurrency: int) -> int:
    """AsyncOpenAI as it comes, a semaphore, gather; the answer is validated. Returns how many were lost."""
    from openai import AsyncOpenAI

    client = AsyncOpenAI(base_url=base_url, api_key="sk-benchmark")
    schema = _schema()

    async def one(text: str) -> None:
        reply = await client.chat.completions.create(
            model="m", messages=_messages(text), response_format={"type": "json_schema", "json_schema": schema}  # type: ignore[arg-type]
        )  # fmt: skip
        _validate(reply.choices[0].message.content or "")

    return await _gathered(one, numbers, concurrency)


async def run_instructor(numbers: range, base_url: str, concurrency: int) -> int:
    """instructor over the same client, in its mode JSON_SCHEMA."""
    import instructor
    from openai import AsyncOpenAI

    from extractor.answers import Answer

    client = instructor.from_openai(
        AsyncOpenAI(base_url=base_url, api_key="sk-benchmark"), mode=instructor.Mode.JSON_SCHEMA
    )

    async def one(text: str) -> None:
        await client.chat.completions.create(model="m", messages=_messages(text), response_model=Answer)

    return await _gathered(one, numbers, concurrency)


async def run_aiohttp(numbers: range, base_url: str, concurrency: int) -> int:
    """The floor: bare aiohttp and a validated answer; no retries, no limits, nothing kept."""
    import aiohttp
    import orjson

    schema = _schema()
    connector = aiohttp.TCPConnector(limit=concurrency)
    async with aiohttp.ClientSession(connector=connector, headers={"Content-Type": "application/json"}) as session:

        async def one(text: str) -> None:
            body = {
                "model": "m", "messages": _messages(text), "response_format": {"type": "json_schema", "json_schema": schema}
            }  # fmt: skip
            async with session.post(f"{base_url}/chat/completions", data=orjson.dumps(body)) as response:
                reply = orjson.loads(await response.read())
            _validate(reply["choices"][0]["message"]["content"])

        return await _gathered(one, numbers, concurrency)


async def _gathered(one: Callable[[str], Any], numbers: range, concurrency: int) -> int:
    gate = asyncio.Semaphore(concurrency)

    async def gated(number: int) -> None:
        async with gate:
            await one(text_of(number))

    results = await asyncio.gather(*(gated(number) for number in numbers), return_exceptions=True)
    return sum(isinstance(result, BaseException) for result in results)


async def run_extractor(numbers: range, base_url: str, concurrency: int) -> int:
    """A whole batch: ledger, durable replies, grounding, dates, results in order."""
    from extractor.api import Extractor
    from extractor.models import Document
    from extractor.runs.run import run_folder

    with tempfile.TemporaryDirectory() as place:
        extractor = Extractor(
            base_url=base_url,
            api_key="sk-benchmark",
            model="m",
            concurrency=concurrency,
            cache_dir=Path(place, "cache"),
            mode="json_schema",
        )
        documents = (Document(id=str(number), text=text_of(number), published="2024-05-15") for number in numbers)  # type: ignore[arg-type]
        summary = await run_folder(documents, Path(place, "run"), extractor)
        return len(numbers) - summary.states.get("done", 0)


def _messages(text: str) -> Any:
    from extractor.task import load_task

    return [
        {"role": "system", "content": load_task("plover", "plover").system.content},
        {"role": "user", "content": text},
    ]


def _schema() -> Any:
    from extractor.task import load_task

    return {"name": "answer", "strict": True, "schema": json.loads(load_task("plover", "plover").schema.text)}


def _validate(text: str) -> None:
    from extractor.answers import read_answer

    read_answer(text)


# -- the server and the processes --------------------------------------------------------------------------------------


@contextmanager
def server(*options: str) -> Iterator[tuple[str, Callable[[], dict[str, Any]]]]:
    """An endpoint in a process of its own; the second value stops it and gives its counts."""
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        json.dump(answer(), file, ensure_ascii=False, separators=(",", ":"))  # compact, as the prompt asks
        file.flush()
        process = subprocess.Popen(
            [sys.executable, "-m", "extractor.fake_endpoint", "--answer", file.name, *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdin and process.stdout
        url = process.stdout.readline().strip()

        def counts() -> dict[str, Any]:
            told, _ = process.communicate()
            return dict(json.loads(told))

        try:
            yield url, counts
        finally:
            if process.poll() is None:
                process.communicate()


def peer(name: str, documents: int, base_url: str, concurrency: int) -> dict[str, float]:
    """Wall seconds after imports and a first call, CPU seconds, lost documents, peak memory in MB."""
    command = [sys.executable, __file__, "--peer", name, str(documents), base_url, str(concurrency)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | {"PYTHONPATH": "."})
    if done.returncode:
        raise SystemExit(f"{name} failed:\n{done.stderr[-2000:]}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def as_peer(name: str, documents: int, base_url: str, concurrency: int) -> None:
    """Run in the peer's process."""
    work = {
        "extractor": run_extractor, "openai": run_openai, "instructor": run_instructor, "aiohttp": run_aiohttp
    }[name]  # fmt: skip

    async def measured() -> dict[str, float]:
        if concurrency > 1:
            await work(range(1_000_000, 1_000_001), base_url, 1)
        cpu, started = time.process_time(), time.perf_counter()
        lost = await work(range(documents), base_url, concurrency)
        wall = time.perf_counter() - started
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        return {"wall": wall, "cpu": time.process_time() - cpu, "lost": lost, "peak": peak}

    print(json.dumps(asyncio.run(measured())))


# -- what is measured --------------------------------------------------------------------------------------------------


def wall(documents: int, concurrency: int, rounds: int, latency: float = 0.5) -> None:
    """Wall time at a latency of half a second, as a ratio to the ideal and to openai's in the same round."""
    ideal = -(-documents // concurrency) * latency
    found: dict[str, list[dict[str, float]]] = {name: [] for name in PEERS}
    opened: dict[str, int] = {}
    for number in range(rounds):
        for name in PEERS[number % len(PEERS) :] + PEERS[: number % len(PEERS)]:
            with server("--latency", str(latency)) as (url, counts):
                found[name].append(peer(name, documents, url, concurrency))
                opened[name] = counts()["connections"]
    print(f"\n{documents} documents, {concurrency} at once, latency {latency} s, ideal {ideal:.1f} s, {rounds} rounds")
    print(f"{'':14}{'x ideal':>9}{'x openai':>10}{'CPU ms/doc':>12}{'connections':>13}{'lost':>6}")
    for name in PEERS:
        walls = [one["wall"] for one in found[name]]
        ratios = [one["wall"] / base["wall"] for one, base in zip(found[name], found["openai"], strict=True)]
        cpu = statistics.median(one["cpu"] for one in found[name]) / documents * 1000
        lost = max(one["lost"] for one in found[name])
        print(
            f"{name:14}{statistics.median(walls) / ideal:9.2f}{statistics.median(ratios):10.2f}{cpu:12.2f}{opened[name]:13}{lost:6.0f}"
        )


def limited(documents: int, rpm: int = 1800) -> None:
    """Under a rate limit: what is lost, how long it takes against the ideal, and how many 429 answers there were."""
    bucket = 1.0
    print(
        f"\n{documents} documents under {rpm} requests a minute (a bucket of {bucket:g} s), 64 at once, latency 0.1 s"
    )
    print(f"{'':14}{'x ideal':>9}{'lost':>6}{'429 answers':>13}")
    for name in PEERS:
        with server("--rpm", str(rpm), "--bucket", str(bucket), "--latency", "0.1") as (url, counts):
            one = peer(name, documents, url, 64)
            refused = counts()["status"].get("429", 0)
        ideal = max(documents - rpm / 60 * bucket, 1) / rpm * 60 + 0.1
        print(f"{name:14}{one['wall'] / ideal:9.2f}{one['lost']:6.0f}{refused:13}")


def memory(small: int, large: int) -> None:
    """Peak memory of a batch, ten times as many documents against few."""
    with server() as (url, _):
        peaks = [peer("extractor", number, url, 64)["peak"] for number in (small, large)]
    print(
        f"\npeak memory: {small} documents {peaks[0]:.0f} MB, {large} documents {peaks[1]:.0f} MB, ratio {peaks[1] / peaks[0]:.3f}"
    )


def cached(documents: int) -> None:
    """Documents a second where every reply is in the cache already; the whole batch, and without grounding and dates."""
    import extractor.pipeline as pipeline
    from extractor.api import Extractor
    from extractor.facts import Facts
    from extractor.models import Document
    from extractor.runs.run import run_folder

    # Made beforehand: what makes them takes a tenth of the time in which they are done.
    sources = [Document(id=str(n), text=text_of(n), published="2024-05-15") for n in range(documents)]  # type: ignore[arg-type]

    async def once(place: str, out: str, url: str, **settings: Any) -> float:
        extractor = Extractor(
            base_url=url, api_key="sk-benchmark", model="m", cache_dir=Path(place, "cache"), **settings
        )
        started = time.perf_counter()
        summary = await run_folder(iter(sources), Path(place, out), extractor)
        assert summary.failed == 0
        return documents / (time.perf_counter() - started)

    with tempfile.TemporaryDirectory() as place, server() as (url, _):
        asyncio.run(once(place, "first", url))
        whole = asyncio.run(once(place, "second", url))
        ground, facts = pipeline._facts, (Facts((), (), ()), [])
        pipeline._facts = lambda *_: facts  # type: ignore[assignment]
        plain = asyncio.run(once(place, "third", url, workers=0))
        pipeline._facts = ground
    print(
        f"\nall replies cached, {documents} documents: {plain:,.0f} a second before grounding and dates, {whole:,.0f} with them"
    )


def ledger(rows: int) -> None:
    """How long a run over a finished ledger takes: opened, every document met again, results and sums up to date."""
    from extractor.runs.entries import Entry
    from extractor.runs.ledger import Ledger
    from extractor.runs.results import ResultsFile
    from extractor.runs.runner import Runner

    async def nothing(document: Any) -> Any:
        raise AssertionError("a finished document was asked about")

    def never() -> Any:
        raise AssertionError("a finished document was opened")

    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        keys = [f"2024/{number // 1000:04}/{number:07}.txt" for number in range(rows)]
        fill(place, keys)
        started = time.perf_counter()
        found = Ledger(place)
        runner = Runner(found, ResultsFile(place / "results.jsonl", found), nothing, "run", concurrency=64)
        asyncio.run(runner.run(Entry(key, "stamp", never) for key in keys))
        counts = found.counts()
        found.totals(), found.rejections(), found.missing()
        seconds = time.perf_counter() - started
        found.close()
    assert counts == {"done": rows}
    print(f"\na ledger of {rows:,} documents: opened and resumed in {seconds:.2f} s")


def fill(place: Path, keys: list[str]) -> None:
    """A ledger as a finished run leaves it."""
    import zlib

    from extractor.runs.ledger import Ledger
    from extractor.runs.runner import UNIFORM, Runner

    found = Ledger(place)
    runner = Runner(found, None, None, "run", concurrency=1)  # type: ignore[arg-type]
    identity = runner.identity("digest")
    line = b'{"document":{}}'
    body = zlib.compress(line, 1)
    write = found._durable
    write.execute("BEGIN")
    columns = "key, position, stamp, digest, identity, state, attempts, run"
    write.executemany(
        f"INSERT INTO documents ({columns}) VALUES (?, ?, 'stamp', 'digest', ?, 'done', 1, 1)",
        ((key, number, identity) for number, key in enumerate(keys)),
    )
    write.executemany("INSERT INTO results VALUES (?, ?, ?, ?)", ((k, identity, body, zlib.crc32(body)) for k in keys))
    size = len(line) + 1
    write.executemany(
        "INSERT INTO written VALUES (?, ?, ?, ?)", ((n, k, identity, (n + 1) * size) for n, k in enumerate(keys))
    )
    write.execute("COMMIT")
    found.set_facts({UNIFORM: runner._mark(found.run)})
    found.close()
    (place / "results.jsonl").write_bytes((line + b"\n") * len(keys))


def main() -> None:
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer documents and rounds")
    parser.add_argument("--only", nargs="*", default=["wall", "wide", "limited", "memory", "cached", "ledger"])
    options = parser.parse_args()
    quick: bool = options.quick
    rounds = 1 if quick else 3
    measures: dict[str, Callable[[], None]] = {
        "wall": lambda: wall(128 if quick else 500, 64, rounds),
        "wide": lambda: wall(512 if quick else 2000, 256, rounds),
        "limited": lambda: limited(120 if quick else 600),
        "memory": lambda: memory(500, 1000 if quick else 5000),
        "cached": lambda: cached(500 if quick else 3000),
        "ledger": lambda: ledger(100_000 if quick else 1_000_000),
    }
    for name in options.only:
        measures[name]()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--peer"]:
        as_peer(sys.argv[2], int(sys.argv[3]), sys.argv[4], int(sys.argv[5]))
    else:
        main()
