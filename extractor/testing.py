"""The pytest plugin: recorded replies, scripted replies, a fake endpoint, and no network, for tests of code that extracts.

Nothing heavy is imported before a fixture is used.
"""

from __future__ import annotations

import hashlib
import os
import re
import socket
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from extractor.fake_endpoint import FakeEndpoint
    from extractor.llm.base import LLM
    from extractor.llm.scripted import Answers, ScriptedLLM

from extractor.assertions import assert_extraction

__all__ = ["assert_extraction"]

MODES = ("replay", "once", "rerecord", "live")
LOOPBACK = re.compile(r"(127(\.\d{1,3}){3}|::1|::ffff:127(\.\d{1,3}){3}|localhost)", re.IGNORECASE)
ANEW = pytest.StashKey[set[Path]]()
OUTCOMES = pytest.StashKey[dict[str, bool]]()


class NetworkBlocked(RuntimeError):
    """A test reached for the network."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("extractor", "recorded replies of LLMs")
    group.addoption("--record-mode", choices=MODES, default=None, help="replay (default): a request that is not recorded "
                    "is an error; once: record what is missing; rerecord: record all anew; live: no cassette.")  # fmt: skip
    group.addoption("--block-network", action="store_true", help="Refuse every connection that leaves this machine.")
    parser.addini("extractor_cassettes", "Folder of the cassettes, relative to the root folder.", default="cassettes")
    parser.addini("extractor_record_mode", "The record mode where --record-mode is not given.", default="replay")
    parser.addini("extractor_block_network", "Refuse connections that leave this machine.", type="bool", default=False)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "cassette(name, allow_unused=False): the cassette of this test, a file or a folder under the folder of cassettes.",
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None, Any, Any]:
    """With --block-network, no test opens a connection but to this machine."""
    if not (item.config.getoption("--block-network") or item.config.getini("extractor_block_network")):
        return (yield)
    with network_blocked(item.nodeid):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    report: Any = yield
    item.stash.setdefault(OUTCOMES, {})[report.when] = report.passed
    return report


@pytest.fixture
def cassette(request: pytest.FixtureRequest) -> Iterator[LLM]:
    """Recorded replies for this test: the LLM of every `extract()` within it, and to be passed as `llm=`.

    The file is `<cassettes>/<module>/<test>.json`, or as the marker `cassette` names it. A passed test
    that leaves an exchange unasked fails, unless the marker says allow_unused=True.
    """
    from extractor.wiring import use_llm

    place, allow_unused = _place_of(request)
    llm = _open(place, _mode_at(place, request.config))
    with use_llm(llm):
        yield llm
    outcomes = request.node.stash.get(OUTCOMES, {})
    check = getattr(llm, "check_used", None)
    if check is not None and not allow_unused and outcomes.get("call", False):
        check()


@pytest.fixture
def scripted_llm() -> Iterator[Callable[[Answers], ScriptedLLM]]:
    """Call it with answers (a list, a mapping, a function): the LLM of every `extract()` in the test answers so."""
    from contextlib import ExitStack

    from extractor.llm.scripted import ScriptedLLM
    from extractor.wiring import use_llm

    with ExitStack() as stack:

        def script(answers: Answers) -> ScriptedLLM:
            llm = ScriptedLLM(answers)
            stack.enter_context(use_llm(llm))
            return llm

        yield script


@pytest.fixture
def fake_endpoint() -> Iterator[Callable[..., FakeEndpoint]]:
    """Call it with answers and faults: a loopback OpenAI-compatible server, closed after the test."""
    from contextlib import ExitStack

    from extractor.fake_endpoint import FakeEndpoint

    with ExitStack() as stack:
        yield lambda *args, **options: stack.enter_context(FakeEndpoint(*args, **options))


@contextmanager
def network_blocked(test: str) -> Iterator[None]:
    """Within the block, sockets connect to this machine alone; the error names the test."""
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex
    lookup = socket.getaddrinfo

    def check(sock: socket.socket, address: Any) -> None:
        if sock.family in (socket.AF_INET, socket.AF_INET6) and not LOOPBACK.fullmatch(str(address[0])):
            raise NetworkBlocked(
                f"{test} reached for {address[0]}:{address[1]}, but --block-network is on. "
                "Use the fixture cassette, scripted_llm or fake_endpoint."
            )

    def blocked_connect(sock: socket.socket, address: Any) -> None:
        check(sock, address)
        return connect(sock, address)

    def blocked_connect_ex(sock: socket.socket, address: Any) -> int:
        check(sock, address)
        return connect_ex(sock, address)

    def blocked_lookup(host: Any, *args: Any, **options: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name and not LOOPBACK.fullmatch(str(name)) and not re.fullmatch(r"[\d.:a-fA-F]+", str(name)):
            raise NetworkBlocked(f"{test} looked up {name!r}, but --block-network is on.")
        return lookup(host, *args, **options)

    patches: list[tuple[Any, str, Any, Any]] = [
        (socket.socket, "connect", connect, blocked_connect),
        (socket.socket, "connect_ex", connect_ex, blocked_connect_ex),
        (socket, "getaddrinfo", lookup, blocked_lookup),
    ]
    for owner, name, _, blocked in patches:
        setattr(owner, name, blocked)
    try:
        yield
    finally:
        for owner, name, original, _ in patches:
            setattr(owner, name, original)


def _mode(config: pytest.Config) -> Any:
    mode = config.getoption("--record-mode") or config.getini("extractor_record_mode")
    if mode not in MODES:
        raise pytest.UsageError(f"extractor_record_mode is {mode!r}; expected one of {', '.join(MODES)}.")
    return mode


def _mode_at(place: Path, config: pytest.Config) -> Any:
    """The mode for one cassette: a shared one is recorded anew by the first test of a session, and added to by the others."""
    mode, anew = _mode(config), config.stash.setdefault(ANEW, set())
    if mode == "rerecord" and place in anew:
        return "once"
    anew.add(place)
    return mode


def _place_of(request: pytest.FixtureRequest) -> tuple[Path, bool]:
    """Where this test's cassette is, and whether it may leave exchanges unasked."""
    root = request.config.rootpath / str(request.config.getini("extractor_cassettes"))
    marker = request.node.get_closest_marker("cassette")
    allow_unused = bool(marker.kwargs.get("allow_unused", False)) if marker else False
    if marker and marker.args:
        name = str(marker.args[0])
        folder = root / name
        return (folder if folder.is_dir() or name.endswith(".json") else root / f"{name}.json"), allow_unused
    return root / request.node.path.stem / f"{_name_of(request.node)}.json", allow_unused


def _name_of(test: pytest.Item) -> str:
    """Its class and name as a file is named; a digest tells apart what would be called alike."""
    inside = getattr(test, "cls", None)
    whole = f"{inside.__name__}.{test.name}" if inside else test.name
    plain = re.sub(r"[^\w.-]+", "-", whole).strip("-")
    kept = re.sub(r"\[([\w.-]+)\]$", r"-\1", whole)
    return plain if plain == kept else f"{plain}-{hashlib.sha256(whole.encode()).hexdigest()[:6]}"


def _open(place: Path, mode: Any) -> LLM:
    from extractor.llm.cassette import open_cassette

    if mode == "replay":
        return open_cassette(place, mode)
    from datetime import date

    from extractor.config import load_settings
    from extractor.llm.base import Meter
    from extractor.wiring import build_llm

    settings = load_settings(cache=False)
    header = {"recorded": date.today().isoformat(), "note": os.environ.get("EXTRACTOR_RECORD_NOTE", "")}
    llm = build_llm(settings, Meter())
    return open_cassette(place, mode, llm, header=header, omit_documents=settings.omit_documents)
