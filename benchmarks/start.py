"""How long the package and the command take to start, as ratios to a bare interpreter, run in turn.

python benchmarks/start.py [--rounds N]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time

COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "import extractor": [sys.executable, "-c", "import extractor"],
    "extractor --help": [
        sys.executable,
        "-c",
        "import sys; sys.argv = ['extractor', '--help']; from extractor.cli import main; main()",
    ],
    "from extractor import extract": [sys.executable, "-c", "from extractor import extract"],
    "import pydantic": [sys.executable, "-c", "import pydantic"],
    "import openai": [sys.executable, "-c", "import openai"],
    "import instructor": [sys.executable, "-c", "import instructor"],
}


def seconds(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, capture_output=True, check=False)
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for number in range(rounds + 1):
        for name, command in COMMANDS.items():
            taken = seconds(command)
            if number:  # the first round warms the disk
                times[name].append(taken)
    bare = times["python -c pass"]
    print(f"{'':<32}{'median ms':>10}{'over bare ms':>14}{'ratio':>8}")
    for name, taken in times.items():
        ratio = statistics.median(a / b for a, b in zip(taken, bare, strict=True))
        over = statistics.median(a - b for a, b in zip(taken, bare, strict=True))
        print(f"{name:<32}{1000 * statistics.median(taken):>10.0f}{1000 * over:>14.0f}{ratio:>8.1f}")


if __name__ == "__main__":
    main()
