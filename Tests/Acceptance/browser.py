"""Chromium without a window, told what to do over a pipe: as much of the Chrome DevTools Protocol as the tests need."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import threading
import time
from base64 import b64decode
from pathlib import Path
from queue import Empty, Queue
from types import TracebackType
from typing import Any

SECONDS = 60.0

Message = dict[str, Any]


def chromium() -> str | None:
    """The program; None where there is none."""
    return shutil.which("chromium")


class Browser:
    """A browser with a profile of its own and one page, in the folder given; what is downloaded lies in `downloads` there."""

    def __init__(self, directory: Path, width: int = 1280, height: int = 1000):
        program = chromium()
        assert program, "there is no chromium"
        self.downloads = directory / "downloads"
        self.numbers = itertools.count(1)
        self.answers: dict[int, Queue[Message]] = {}
        self.events: list[Message] = []
        self.session: str | None = None
        theirs_to_read, self.outgoing = os.pipe()
        incoming, theirs_to_write = os.pipe()
        # The protocol is spoken on descriptors 3 and 4 (--remote-debugging-pipe).
        self.process = subprocess.Popen(
            ["bash", "-c", f'exec "$0" "$@" 3<&{theirs_to_read} 4>&{theirs_to_write}', program]
            + ["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--no-first-run"]
            + ["--disable-background-networking", "--disable-component-update", f"--user-data-dir={directory / 'profile'}"]
            + [f"--window-size={width},{height}", "about:blank"],
            pass_fds=(theirs_to_read, theirs_to_write),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs_to_read)
        os.close(theirs_to_write)
        self.reader = threading.Thread(target=self.read, args=(incoming,))
        self.reader.start()

    def __enter__(self) -> Browser:
        try:
            target = self.call("Target.createTarget", url="about:blank")["targetId"]
            self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
            for domain in ("Page", "Network", "Runtime", "Log", "Audits"):
                self.call(f"{domain}.enable")
            self.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(self.downloads))
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        os.close(self.outgoing)
        self.process.terminate()
        self.process.wait()
        self.reader.join()

    def read(self, incoming: int) -> None:
        """Gives answers to those who wait for them, and keeps events."""
        with os.fdopen(incoming, "rb") as stream:
            rest = b""
            while chunk := stream.read1(1 << 16):
                *messages, rest = (rest + chunk).split(b"\0")
                for message in map(json.loads, messages):
                    if "id" in message:
                        self.answers.pop(message["id"]).put(message)
                    else:
                        self.events.append(message)

    def call(self, method: str, **parameters: Any) -> Message:
        """Sends a command to the page, or to the browser as long as there is none, and returns its result."""
        number = next(self.numbers)
        self.answers[number] = Queue(1)
        waiting = self.answers[number]
        message: Message = {"id": number, "method": method, "params": parameters}
        if self.session and not method.startswith(("Browser.", "Target.")):
            message["sessionId"] = self.session
        content = json.dumps(message).encode() + b"\0"
        while content:
            content = content[os.write(self.outgoing, content) :]
        try:
            answer = waiting.get(timeout=SECONDS)
        except Empty:
            raise AssertionError(f"{method} was not answered") from None
        assert "error" not in answer, f"{method}: {answer['error']}"
        return dict(answer["result"])

    def seen(self, method: str) -> list[Message]:
        """The parameters of the events of this name, the oldest first."""
        return [event["params"] for event in list(self.events) if event["method"] == method]

    def forget(self, method: str) -> None:
        """Drops the events of this name."""
        self.events = [event for event in self.events if event["method"] != method]

    def open(self, url: str) -> None:
        self.call("Page.navigate", url=url)

    def run(self, expression: str, **options: Any) -> Message:
        """Evaluates an expression in the page, and waits for it where it is a promise."""
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, userGesture=True, **options)
        assert "exceptionDetails" not in answer, f"{expression}: {answer['exceptionDetails']}"
        return dict(answer["result"])

    def value(self, expression: str) -> Any:
        return self.run(expression, returnByValue=True).get("value")

    def wait(self, expression: str) -> Any:
        """The value of an expression once it is none that counts as false."""
        deadline = time.monotonic() + SECONDS
        while not (value := self.value(expression)):
            assert time.monotonic() < deadline, f"never so: {expression}\n{self.value('document.body.innerText')[:2000]}"
            time.sleep(0.02)
        return value

    def element(self, selector: str) -> str:
        """The expression for the one element, once it is there."""
        found = f"document.querySelector({json.dumps(selector)})"
        self.wait(f"{found} !== null")
        return found

    def click(self, selector: str) -> None:
        self.run(f"{self.element(selector)}.click()")

    def type(self, selector: str, text: str) -> None:
        """Writes a text into a field, in place of what is there."""
        self.run(f"(field => {{ field.focus(); field.select(); }})({self.element(selector)})")
        self.call("Input.insertText", text=text)

    def choose(self, selector: str, path: Path) -> None:
        """Chooses a file, as a person does in the window that a field of files opens."""
        field = self.run(self.element(selector))["objectId"]
        self.call("DOM.setFileInputFiles", files=[str(path)], objectId=field)

    def download(self) -> bytes:
        """The content of the one file that is being downloaded, or was last; its place is free for the next."""
        deadline = time.monotonic() + SECONDS
        while not (files := [path for path in self.downloads.glob("*") if path.suffix != ".crdownload"]):
            assert time.monotonic() < deadline, "nothing was downloaded"
            time.sleep(0.02)
        content = files[0].read_bytes()
        files[0].unlink()
        return content

    def picture(self) -> bytes:
        """What the window shows, as PNG."""
        return b64decode(self.call("Page.captureScreenshot", format="png")["data"])
