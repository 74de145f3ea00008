"""The worker's life: fence itself in, answer asks one after another, end when the window lets go.

fd 1 is pointed at stderr before anything else, so that what a framework prints, also from C++, is log and never
protocol. One thread reads stdin: it queues asks and ends the process at end of stream, whatever the main thread is
doing. There is no PR_SET_PDEATHSIG: it fires when the *thread* that started us ends.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from time import perf_counter
from traceback import format_exc
from typing import Any, BinaryIO, NoReturn

import msgspec

from inspector.errors import InspectorError
from inspector.worker import wire
from inspector.worker.sandbox import fence

Send = Callable[[wire.Reply], None]
TRACE = 100_000
"""Characters of a traceback that are worth sending."""

SENTENCE = 2000
"""Characters of an error that are shown; a framework may write pages."""


def main(arguments: list[str]) -> NoReturn:
    """Run a worker: `ROLE [--folder FOLDER] [--memory BYTES] [--warm MODULE,MODULE]`.

    Args:
        arguments: ROLE is document, layout or run. FOLDER is where it may write. MODULEs are imported before the
            first ask, so that it finds them warm.
    """
    out = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    role = arguments[0]
    options = dict(zip(arguments[1::2], arguments[2::2], strict=True))
    folder = Path(options["--folder"]) if "--folder" in options else None
    memory = int(options.get("--memory", 0))
    protection = _fence_document(memory) if role == "document" else fence(role, memory, folder=folder)
    asks: queue.SimpleQueue[wire.Ask] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(sys.stdin.buffer, asks), daemon=True).start()
    send = _sender(out)
    for module in filter(None, options.get("--warm", "").split(",")):
        _warm(module)
    from inspector.worker.tasks import Context  # after the fence: it imports numpy

    send(wire.Ready(wire.VERSION, protection))
    state: dict[str, Any] = {}
    while True:
        ask = asks.get()
        send(_answer(ask, Context(folder, state, _reporter(send, ask.id))))


def _fence_document(memory: int) -> str:
    """Import what reading needs, wait to be told what may be read, and give up everything else.

    Our own libraries come before the fence, so that a worker that was started ahead answers at once; no byte of a
    file has been seen yet, and their thread pools are off (`jobs/interpreters.py`), so that the fence binds all.
    """
    from inspector.formats import formats
    from inspector.worker.tasks import tasks

    tasks()
    try:
        formats()
    except (InspectorError, ValueError) as error:  # a broken plug-in, an id given twice: opening a file says it again
        print(f"The formats could not be loaded ahead: {error}", file=sys.stderr)  # noqa: T201 - a worker's log
    _warm("onnx")
    body = wire.read_frame(sys.stdin.buffer)
    if body is None:
        os._exit(0)
    grant = msgspec.msgpack.decode(body, type=wire.Grant)
    return fence("document", memory, [Path(path) for path in grant.reads])


def _answer(ask: wire.Ask, context: Any) -> wire.Reply:
    from inspector.ir.text import inert
    from inspector.worker.tasks import tasks

    start = perf_counter()
    try:
        task = tasks()[ask.task]
        result = task.run(msgspec.msgpack.decode(ask.args, type=task.args), context)
        body = msgspec.msgpack.encode(result)
        if len(body) > wire.LIMIT - 1024:
            raise InspectorError("The answer is too large to show.", "Ask for a smaller part of it.")
        return wire.Done(ask.id, msgspec.Raw(body), perf_counter() - start)
    except InspectorError as error:
        what, hint = inert(error.what, SENTENCE), inert(error.hint, SENTENCE)  # names of files and of what is in them
        return wire.Failed(ask.id, what, hint, format_exc()[-TRACE:], known=True)
    except MemoryError:
        what, hint = "There is not enough memory for this.", "Close other models, or allow jobs more memory."
        return wire.Failed(ask.id, what, hint, format_exc()[-TRACE:], known=True)
    except Exception as error:  # noqa: BLE001 - the process is the boundary
        what = f"{type(error).__name__}: {str(error)[:2000]}"
        return wire.Failed(ask.id, what, "", format_exc()[-TRACE:])


def _sender(out: BinaryIO) -> Send:
    lock = threading.Lock()

    def send(message: wire.Reply) -> None:
        data = memoryview(wire.frame(message))
        with lock:
            while data:
                data = data[out.write(data) :]

    return send


def _reporter(send: Send, ask: int) -> Callable[[float | None, str], None]:
    return lambda fraction, text: send(wire.Progress(ask, fraction, text))


def _listen(stream: BinaryIO, asks: queue.SimpleQueue[wire.Ask]) -> None:
    """Queue what is asked; when nothing more can come, or nothing that makes sense, the process ends."""
    decoder = msgspec.msgpack.Decoder(wire.Ask)
    status = 1
    try:
        while (body := wire.read_frame(stream)) is not None:
            asks.put(decoder.decode(body))
        status = 0
    except (ValueError, OSError) as error:  # those of msgspec are ValueErrors
        print(f"What is asked makes no sense: {error}", file=sys.stderr, flush=True)  # noqa: T201 - the log
    finally:
        os._exit(status)


def _warm(module: str) -> None:
    """Import a framework ahead of the job; one that fails to import fails again, in words, when it is used."""
    try:
        import_module(module)
    except Exception as error:  # noqa: BLE001 - whatever a broken installation raises
        print(f"Warming {module} failed: {error}", file=sys.stderr)  # noqa: T201 - a worker's stderr is its log
