"""
An HTTP proxy between the server and its S3 server that does to their requests whatever S3 servers do.

Signatures stay valid, because heads pass byte for byte, with the Host that the client has signed.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import threading
from email.utils import formatdate
from time import time
from urllib.parse import urlsplit

from s3_faults import Fault, Ledger, Rule, Script, Storm
from s3_requests import Head, Operation, Request
from s3_streams import PIECE, Muted, Stream

SKEW = 20 * 60
WRONG_ETAG = '"0123456789abcdef0123456789abcdef"'

# Answers of the proxy itself: status, code, and further fields.
ANSWERS = {
    Fault.SLOW_DOWN: (503, "SlowDown", ()),
    Fault.TOO_MANY: (429, "TooManyRequests", ("Retry-After: 1",)),
    Fault.ERROR_BEFORE: (500, "InternalError", ()),
    Fault.ERROR_AFTER: (500, "InternalError", ()),
    Fault.SKEWED: (403, "RequestTimeTooSkewed", ()),
    Fault.KEY_REFUSED: (403, "InvalidAccessKeyId", ()),
    Fault.REDIRECT: (307, "TemporaryRedirect", ()),
    Fault.ERROR_IN_200: (200, "InternalError", ()),
}
AFTER = frozenset({Fault.ERROR_AFTER, Fault.CUT_AFTER, Fault.SILENCE_AFTER})


class Ended(Exception):
    """The connection is over, as somebody wanted it."""


class Exchange:
    """The requests of one client connection, one after the other, and the connection they are passed on by."""

    def __init__(self, proxy: S3Proxy, client: Stream):
        self.proxy = proxy
        self.client = client
        # Where answers go: to the client, or nowhere.
        self.answers = client
        self._server: Stream | None = None

    async def run(self) -> None:
        while (head := await self.client.head()) is not None:
            request = Request(head)
            rule = self.proxy.script.rule_for(request)
            self.proxy.ledger.note(request, rule)
            if rule is None:
                await self.pass_on(request)
            else:
                await self.spoil(request, rule)

    def end(self, *, resetting: bool = False) -> None:
        for stream in (self.client, self._server):
            if stream is not None:
                stream.reset() if resetting else stream.close()

    # What goes through

    async def pass_on(self, request: Request, rule: Rule | None = None) -> None:
        """The request to the server and its answer to the client, both as they come."""
        server = await self.server()
        await server.send(request.head.raw)
        asking = asyncio.ensure_future(self._ask(request, server))
        try:
            answer = await self._answer(server, asking)
            has_body = request.method != "HEAD" and answer.status not in (204, 304)
            await self.deliver(answer, server, rule, has_body=has_body)
            if not asking.done() or answer.closes or (has_body and answer.length is None and not answer.is_chunked):
                raise Ended
            await asking
        finally:
            asking.cancel()
            await asyncio.wait({asking})

    async def _ask(self, request: Request, server: Stream) -> None:
        async for piece in self.client.body(request.head):
            await server.send(piece)

    async def _answer(self, server: Stream, asking: asyncio.Future[None]) -> Head:
        """The head of the final answer; what comes before it is passed on."""
        while True:
            waiting = asyncio.ensure_future(server.head())
            await asyncio.wait({waiting, asking}, return_when=asyncio.FIRST_COMPLETED)
            if asking.done() and asking.exception() is not None and not waiting.done():
                waiting.cancel()
                raise ConnectionResetError("the client went away")
            answer = await waiting
            if answer is None:
                raise ConnectionResetError("the server went away")
            if answer.status >= 200:
                return answer
            await self.answers.send(answer.raw)

    async def deliver(self, answer: Head, server: Stream, rule: Rule | None, *, has_body: bool) -> None:
        """An answer to the client, spoilt as the rule says."""
        fault = rule.fault if rule else None
        if fault in (Fault.WRONG_ETAG, Fault.NO_ETAG) and "etag" in answer.fields:
            answer = answer.replacing("ETag", WRONG_ETAG if fault is Fault.WRONG_ETAG else None)
        is_content = has_body and answer.status in (200, 206) and answer.length
        if rule and is_content and fault in (Fault.SHORT_BODY, Fault.SHORT_LENGTH, Fault.FLIPPED):
            await self._deliver_spoilt(answer, server, rule, answer.length or 0)
            return
        await self.answers.send(answer.raw)
        if not has_body:
            return
        if answer.length is None and not answer.is_chunked:  # up to the end of the connection
            while piece := await server.reader.read(PIECE):
                await self.answers.send(piece)
            return
        async for piece in server.body(answer):
            await self.answers.send(piece)

    async def _deliver_spoilt(self, answer: Head, server: Stream, rule: Rule, length: int) -> None:
        at = self.proxy.place_in(length) if rule.at is None else min(rule.at, length - 1)
        if rule.fault is Fault.SHORT_LENGTH:
            answer = answer.replacing("Content-Length", str(at))
        await self.answers.send(answer.raw)
        position = 0
        async for piece in server.exactly(length):
            left = at - position
            if rule.fault is Fault.FLIPPED:
                if 0 <= left < len(piece):
                    piece = piece[:left] + bytes([piece[left] ^ 1]) + piece[left + 1 :]
            elif left < len(piece):
                if left > 0:
                    await self.answers.send(piece[:left])
                if rule.fault is Fault.SHORT_BODY:
                    raise Ended
                async for _ in server.exactly(length - position - len(piece)):
                    pass
                return
            await self.answers.send(piece)
            position += len(piece)

    async def server(self) -> Stream:
        if self._server is None or self._server.reader.at_eof():
            self._server = await self.proxy.connect()
        return self._server

    # What goes wrong

    async def spoil(self, request: Request, rule: Rule) -> None:
        fault = rule.fault
        if fault in AFTER:
            await self._swallow(request)
        elif fault in ANSWERS and not request.waits_for_leave:
            await self._drain(request)
        if fault in ANSWERS:
            await self._refuse(request, rule)
        elif fault is Fault.CUT_BEFORE:
            length = request.head.length or 0
            await self._drain(request, self.proxy.place_in(length + 1) if rule.at is None else rule.at)
            self._cut()
        elif fault is Fault.CUT_AFTER:
            self._cut()
        elif fault in (Fault.SILENCE_BEFORE, Fault.SILENCE_AFTER):
            if fault is Fault.SILENCE_BEFORE:
                await self._drain(request, rule.at)
            rule.silent.set()
            await self._wait(rule.seconds)
        elif fault is Fault.LATE:
            body = b"".join([piece async for piece in self.client.body(request.head)])
            self.proxy.send_later(request.head.raw + body, rule)
            self._cut()
        elif fault is Fault.ENDLESS:
            await self._never_end()
        else:
            await self.pass_on(request, rule)

    async def _swallow(self, request: Request) -> None:
        """Has the request done, and keeps the answer."""
        self.answers = Muted(self.client.reader, self.client.writer)
        try:
            await self.pass_on(request)
        finally:
            self.answers = self.client

    async def _drain(self, request: Request, most: int | None = None) -> None:
        """Reads the body of a request, or the beginning of it."""
        if most == 0:
            return
        count = 0
        async for piece in self.client.body(request.head):
            count += len(piece)
            if most is not None and count >= most:
                return

    async def _refuse(self, request: Request, rule: Rule) -> None:
        status, code, fields = ANSWERS[rule.fault]
        date = time() + (SKEW if rule.fault is Fault.SKEWED else 0)
        body = f'<?xml version="1.0"?>\n<Error><Code>{code}</Code><Message>by the tests</Message></Error>'
        lines = [f"HTTP/1.1 {status} {code}", f"Date: {formatdate(date, usegmt=True)}", *fields]
        lines += ["Content-Type: application/xml", f"Content-Length: {len(body)}"]
        if rule.fault is Fault.REDIRECT:
            lines.append(f"Location: {rule.location or self.proxy.url}{request.target}")
        if request.waits_for_leave:
            lines.append("Connection: close")
        head = "\r\n".join([*lines, "", ""])
        await self.answers.send((head + ("" if request.method == "HEAD" else body)).encode())
        if request.waits_for_leave:
            raise Ended

    async def _wait(self, seconds: float) -> None:
        """Until the client has had enough."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while await self.client.reader.read(PIECE):
                    pass
        self._cut()

    async def _never_end(self) -> None:
        start = '<?xml version="1.0"?><ListBucketResult><Name>test</Name><IsTruncated>false</IsTruncated>'
        entry = f"<Contents><Key>{'k' * 500}</Key><Size>1</Size></Contents>" * 100
        await self.answers.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nConnection: close\r\n\r\n")
        await self.answers.send(start.encode())
        while True:
            await self.answers.send(entry.encode())

    def _cut(self) -> None:
        self.client.reset()
        raise Ended


class S3Proxy:
    """Listens on a loopback port for the server at `endpoint`; `with` ends it. All passes until told otherwise."""

    def __init__(self, endpoint: str, seed: int = 0):
        target = urlsplit(endpoint)
        assert target.scheme == "http" and target.hostname and target.port
        self._address = (target.hostname, target.port)
        self._places = random.Random(seed)
        self.script = Script()
        self.ledger = Ledger()
        # The late effects that have come, by the statuses they got.
        self.landed: list[int] = []
        self._exchanges: set[Exchange] = set()
        self._tasks: set[asyncio.Future[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._listener: asyncio.Server | None = None
        self.port = 0
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.accept()

    def __enter__(self) -> S3Proxy:
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    # What can happen; see also `script`

    def storm(self, rng: random.Random, faults: list[Fault], count: int, probability: float, seconds: float) -> Storm:
        """So many faults of these kinds, from now on."""
        storm = Storm(rng, faults, probability, count, seconds=seconds)
        self.script.begin(storm)
        return storm

    def refuse(self) -> None:
        """The server is gone: its connections are cut and new ones refused."""

        async def stop() -> None:
            if self._listener is not None:
                self._listener.close()
                self._listener = None
            self._cut_all()

        asyncio.run_coroutine_threadsafe(stop(), self._loop).result(10)

    def accept(self) -> None:
        """Takes new connections (again), always on the same port."""

        async def listen() -> None:
            listener = socket.create_server(("127.0.0.1", self.port), backlog=256)
            self.port = int(listener.getsockname()[1])
            self._listener = await asyncio.start_server(self._serve, sock=listener, limit=PIECE)

        asyncio.run_coroutine_threadsafe(listen(), self._loop).result(10)

    def cut(self) -> None:
        """Ends every connection now."""
        self._loop.call_soon_threadsafe(self._cut_all)

    # For the exchanges

    async def connect(self) -> Stream:
        """A new connection to the server."""
        return Stream(*await asyncio.open_connection(*self._address, limit=PIECE))

    def place_in(self, length: int) -> int:
        """Somewhere in that many bytes."""
        return self._places.randrange(max(1, length))

    def send_later(self, message: bytes, rule: Rule) -> None:
        self._keep(asyncio.ensure_future(self._land(message, rule)))

    async def _land(self, message: bytes, rule: Rule) -> None:
        await asyncio.sleep(rule.seconds)
        server = await self.connect()
        await server.send(message)
        answer = await server.head()
        self.landed.append(answer.status if answer else 0)
        server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        exchange = Exchange(self, Stream(reader, writer))
        self._exchanges.add(exchange)
        try:
            await exchange.run()
        except (Ended, asyncio.CancelledError):
            exchange.end()
        except (OSError, EOFError, asyncio.LimitOverrunError):
            exchange.end(resetting=True)
        else:
            exchange.end()
        finally:
            self._exchanges.discard(exchange)

    def _cut_all(self) -> None:
        for exchange in list(self._exchanges):
            exchange.end(resetting=True)

    def _keep(self, task: asyncio.Future[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _end(self) -> None:
        if self._listener is not None:
            self._listener.close()
        self._cut_all()
        own = {task for task in asyncio.all_tasks() if task is not asyncio.current_task()}
        for task in own:
            task.cancel()
        await asyncio.gather(*own, return_exceptions=True)


# Everything that may happen to any request at any time, and heal by itself.
PASSING = [
    Fault.SLOW_DOWN,
    Fault.TOO_MANY,
    Fault.ERROR_BEFORE,
    Fault.CUT_BEFORE,
    Fault.SILENCE_BEFORE,
    Fault.ERROR_IN_200,
    Fault.ERROR_AFTER,
    Fault.CUT_AFTER,
    Fault.SILENCE_AFTER,
    Fault.LATE,
    Fault.WRONG_ETAG,
    Fault.NO_ETAG,
    Fault.SHORT_BODY,
    Fault.SHORT_LENGTH,
    Fault.FLIPPED,
]

__all__ = ["PASSING", "Fault", "Operation", "S3Proxy"]
