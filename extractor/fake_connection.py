"""One connection of a fake endpoint: HTTP/1.1 read by hand, so that faults reach down to the socket."""

from __future__ import annotations

import asyncio
import socket
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from extractor.fake_endpoint import FakeEndpoint, Received
    from extractor.fake_faults import Fault

BOMB_PIECE = 1 << 20


class Connection(asyncio.Protocol):
    """Reads requests one after the other and answers each as the endpoint decides."""

    def __init__(self, endpoint: FakeEndpoint) -> None:
        self.endpoint = endpoint
        self.buffer = bytearray()
        self.busy = False
        self.timers: set[asyncio.TimerHandle] = set()
        self.writable = asyncio.Event()
        self.writable.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.endpoint.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in self.timers:
            timer.cancel()
        if self.busy:
            self.endpoint.in_flight -= 1
        self.writable.set()
        self.endpoint.closed(self)

    def pause_writing(self) -> None:
        self.writable.clear()

    def resume_writing(self) -> None:
        self.writable.set()

    def abort(self) -> None:
        self.transport.abort()

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if not self.busy:
            self._next_request()

    def _next_request(self) -> None:
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        lines = bytes(self.buffer[:end]).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        length = int(headers.get("content-length", 0))
        if headers.get("expect") == "100-continue":
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if len(self.buffer) < end + 4 + length:
            return
        body = bytes(self.buffer[end + 4 : end + 4 + length])
        del self.buffer[: end + 4 + length]
        method, path, _ = lines[0].split(" ", 2)
        self._begin(*self.endpoint.receive(method, path, headers, body))

    def _begin(self, received: Received, fault: Fault) -> None:
        self.busy = True
        self.endpoint.in_flight += 1
        self.endpoint.most_in_flight = max(self.endpoint.most_in_flight, self.endpoint.in_flight)
        # A limiter refuses at the door; only work takes time.
        wait = fault.delay + (self.endpoint.latency if fault.status != 429 else 0.0)
        if wait > 0:
            self._later(wait, lambda: self._respond(received, fault))
        else:
            self._respond(received, fault)

    def _later(self, seconds: float, call: Callable[[], None]) -> None:
        def run() -> None:
            self.timers.discard(timer)
            call()

        timer = self.endpoint.loop.call_later(seconds, run)
        self.timers.add(timer)

    def _done(self) -> None:
        self.busy = False
        self.endpoint.in_flight -= 1
        if self.buffer:
            self._next_request()

    def _respond(self, received: Received, fault: Fault) -> None:
        self.endpoint.statuses[fault.status] += 1
        body = fault.body or b""
        if fault.how == "whole":
            received.whole, received.sent = True, body if self.endpoint.keep else b""
            self.transport.write(_head(fault, len(body)) + body)
            self._done()
        elif fault.how == "reset":
            _linger_zero(self.transport)
            self.transport.abort()
        elif fault.how == "close":
            self.transport.close()
        elif fault.how in ("cut", "cut_unsized"):
            self.transport.write(_head(fault, len(body) if fault.how == "cut" else None) + body[: len(body) // 2])
            self.transport.close()
        elif fault.how == "drip":
            self.transport.write(_head(fault, len(body)))
            self._drip(received, fault, body)
        elif fault.how == "bomb":
            self.transport.write(_head(fault, None, {"content-encoding": "gzip"}))
            task = self.endpoint.loop.create_task(self._explode(fault.bomb))
            self.endpoint.tasks.add(task)
            task.add_done_callback(self.endpoint.tasks.discard)

    def _drip(self, received: Received, fault: Fault, rest: bytes) -> None:
        self.transport.write(rest[: fault.drip])
        if rest := rest[fault.drip :]:
            self._later(fault.interval, lambda: self._drip(received, fault, rest))
        else:
            received.whole = True
            self._done()

    async def _explode(self, size: int) -> None:
        for piece in _gzipped_blanks(size):
            await self.writable.wait()
            if self.transport.is_closing():
                return
            self.transport.write(piece)
            await asyncio.sleep(0)
        self.transport.close()


def _head(fault: Fault, length: int | None, extra: Mapping[str, str] | None = None) -> bytes:
    """The status line and headers; without a length the body ends with the connection."""
    reason = HTTPStatus(fault.status).phrase if fault.status in HTTPStatus._value2member_map_ else "Unknown"
    headers = {"content-type": fault.content_type, **fault.headers, **(extra or {})}
    if length is None:
        headers["connection"] = "close"
    elif fault.status != 204:
        headers["content-length"] = str(length)
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {fault.status} {reason}\r\n{lines}\r\n".encode("latin-1")


def _gzipped_blanks(size: int) -> Iterator[bytes]:
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    for _ in range(size // BOMB_PIECE):
        yield packer.compress(b" " * BOMB_PIECE)
    yield packer.flush()


def _linger_zero(transport: asyncio.Transport) -> None:
    """Make the close that follows a reset (RST) instead of an end (FIN)."""
    raw = transport.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
