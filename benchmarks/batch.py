"""Batches against a loopback endpoint in a process of its own, with the plain openai client and instructor beside.

    python benchmarks/batch.py [--quick]

Sections: wall time against the ideal at a latency of 500 ms; a rate limit of 1,800 requests a minute; documents a second when all
replies are cached; peak memory at 500 and 5,000 documents; a ledger of a million documents. Ours does more than the peers: it
validates, locates and dates every fact, and keeps replies and results durably.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

EVENT = {
    "evidence": "condemned the attack", "trigger": "condemned", "type": "ACCUSE", "modes": [], "contexts": [], "actors": [], "recipients": [],
    "participants": [], "place": None, "time": "on Tuesday", "modality": "asserted", "source": None, "figures": [],
}  # fmt: skip
ANSWER = json.dumps({"entities": [], "events": [EVENT], "relations": []})
SERVER = """
import sys, time
from extractor.fake_endpoint import FakeEndpoint
rpm = float(sys.argv[2]) or None
with FakeEndpoint({"": sys.argv[3]}, latency=float(sys.argv[1]), rpm=rpm, keep=False) as endpoint:
    print(endpoint.base_url, flush=True)
    sys.stdin.readline()
    print(endpoint.count, endpoint.connections, endpoint.statuses[429], flush=True)
"""
OURS = """
import sys, time, resource
from pathlib import Path
from extractor.runs.run import batch
url, folder, out, concurrency = sys.argv[1:5]
started = time.perf_counter()
s = batch(Path(folder), out=Path(out), base_url=url, model="m", concurrency=int(concurrency), cache_dir=Path(out).parent / "cache")
print("RESULT", time.perf_counter() - started, s.states.get("done", 0), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""
OPENAI = """
import asyncio, sys, time, resource, json
from pathlib import Path
from openai import AsyncOpenAI
from extractor.task import load_task
from extractor.text.chunking import chunk_text
from extractor.models import Document
url, folder, out, concurrency = sys.argv[1:5]
task = load_task("plover", "plover")
schema = json.loads(task.schema.text)
client = AsyncOpenAI(base_url=url, api_key="x")
texts = [p.read_text() for p in sorted(Path(folder).glob("*.txt"))]
async def one(gate, text):
    async with gate:
        request = task.request(Document(id="d", text=text), chunk_text(text)[0], (), "m", ())
        try:
            reply = await client.chat.completions.create(model="m", messages=[{"role": m.role, "content": m.content} for m in request.messages],
                response_format={"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": schema}})
        except Exception:
            return 0
        json.loads(reply.choices[0].message.content)
        return 1
async def main():
    gate = asyncio.Semaphore(int(concurrency))
    return sum(await asyncio.gather(*(one(gate, t) for t in texts)))
started = time.perf_counter()
done = asyncio.run(main())
print("RESULT", time.perf_counter() - started, done, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""
INSTRUCTOR = (
    OPENAI.replace(
        'client = AsyncOpenAI(base_url=url, api_key="x")',
        'import instructor\nfrom extractor.answers import Answer\nclient = instructor.from_openai(AsyncOpenAI(base_url=url, api_key="x"))',
    )
    .replace(
        'reply = await client.chat.completions.create(model="m", messages=[{"role": m.role, "content": m.content} for m in request.messages],\n'
        '                response_format={"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": schema}})',
        'await client.chat.completions.create(model="m", messages=[{"role": m.role, "content": m.content} for m in request.messages], response_model=Answer)',
    )
    .replace("        json.loads(reply.choices[0].message.content)\n", "")
)
PROGRAMS = {"extractor": OURS, "openai": OPENAI, "instructor": INSTRUCTOR}


@contextmanager
def server(latency: float, rpm: float = 0) -> Iterator[tuple[str, list[int]]]:
    """The endpoint's address; after the block its counts of requests, connections and 429s."""
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(latency), str(rpm), ANSWER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin and process.stdout
    counts: list[int] = []
    yield process.stdout.readline().strip(), counts
    process.stdin.write("\n")
    process.stdin.flush()
    counts += [int(number) for number in process.stdout.readline().split()]
    process.wait()


def documents(folder: Path, number: int) -> Path:
    """So many Persian-length documents of 2,500 characters."""
    folder.mkdir(parents=True)
    filler = "The ministry gave no details of the talks, which went on until the evening. " * 32
    for place in range(number):
        (folder / f"{place:06}.txt").write_text(
            f"Report {place}. The minister condemned the attack on Tuesday. {filler}", encoding="utf-8"
        )
    return folder


def run(program: str, url: str, folder: Path, out: Path, concurrency: int) -> tuple[float, int, float]:
    """Seconds of the work, documents done, peak megabytes."""
    command = [sys.executable, "-c", PROGRAMS[program], url, str(folder), str(out), str(concurrency)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=os.environ | {"OPENAI_API_KEY": "x"}
    )
    found = re.search(r"RESULT ([\d.]+) (\d+) ([\d.]+)", done.stdout)
    if found is None:
        raise SystemExit(done.stderr[-2000:])
    return float(found[1]), int(found[2]), float(found[3])


def wall(place: Path, number: int, concurrency: int, programs: list[str]) -> None:
    folder, ideal = documents(place / f"wall{number}", number), -(-number // concurrency) * 0.5
    print(f"\n{number} documents, concurrency {concurrency}, latency 500 ms: ideal {ideal:.1f} s")
    for program in programs:
        with server(0.5) as (url, counts):
            seconds, done, _ = run(program, url, folder, place / f"{program}{number}" / "run", concurrency)
        print(f"  {program:<12}{seconds:8.2f} s  {seconds / ideal:6.2f} x ideal  {done} done  {counts[1]} connections")


def rate_limit(place: Path, number: int, programs: list[str]) -> None:
    folder, ideal = documents(place / "rate", number), (number - 30) / 30 + 0.2
    print(f"\n{number} documents at 1,800 requests a minute, latency 200 ms, concurrency 64: ideal {ideal:.1f} s")
    for program in programs:
        with server(0.2, 1800) as (url, counts):
            seconds, done, _ = run(program, url, folder, place / f"{program}-rate" / "run", 64)
        print(
            f"  {program:<12}{seconds:8.2f} s  {seconds / ideal:6.2f} x ideal  {number - done} lost  {counts[2]} answers were 429"
        )


def cached(place: Path, number: int) -> None:
    folder = documents(place / "cached", number)
    with server(0.0) as (url, _):
        run("extractor", url, folder, place / "warm" / "run", 64)
        (place / "warm" / "run").rename(place / "warm" / "old")
        seconds, done, _ = run("extractor", url, folder, place / "warm" / "run", 64)
    print(
        f"\n{done} documents, all replies cached, with grounding, dates, ledger and results: {done / seconds:,.0f} a second"
    )


def memory(place: Path, few: int, many: int) -> None:
    peaks = []
    for number in (few, many):
        folder = documents(place / f"memory{number}", number)
        with server(0.0) as (url, _):
            peaks.append(run("extractor", url, folder, place / f"m{number}" / "run", 64)[2])
    print(
        f"\npeak memory: {peaks[0]:.0f} MB at {few}, {peaks[1]:.0f} MB at {many} documents: {peaks[1] / peaks[0]:.2f} x"
    )


def million(place: Path, number: int) -> None:
    from extractor.runs.ledger import Ledger

    ledger = Ledger(place / "big")
    rows = ((f"{n:09}.txt", n, "1-1", "d" * 64, "i" * 64, "done", 1) for n in range(number))
    ledger._durable.execute("BEGIN")
    ledger._durable.executemany(
        "INSERT INTO documents (key, position, stamp, digest, identity, state, run) VALUES (?,?,?,?,?,?,?)", rows
    )
    ledger._durable.execute("COMMIT")
    ledger.close()
    started = time.perf_counter()
    ledger = Ledger(place / "big")
    met = sum(1 for _ in ledger.rows())
    ledger.counts()
    ledger.close()
    print(f"\na ledger of {met:,} documents: opened, walked and counted in {time.perf_counter() - started:.1f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="Smaller numbers; a few minutes less.")
    quick = parser.parse_args().quick
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        wall(place, 500, 64, list(PROGRAMS))
        if not quick:
            wall(place, 2000, 256, ["extractor", "openai"])
        rate_limit(place, 300, ["extractor", "openai"])
        cached(place, 500 if quick else 2000)
        memory(place, 500, 1000 if quick else 5000)
        million(place, 100_000 if quick else 1_000_000)


if __name__ == "__main__":
    main()
