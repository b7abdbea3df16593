"""Texts to vectors for a service, in a process of its own: the event loop goes on, and its memory is let go after."""

import asyncio
import contextlib
import json
import logging
import sys
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import numpy as np

from shared.cache import user_folder
from shared.embedding import DIMENSIONS, MAX_CHARACTERS, Precision, cache, serve
from shared.embedding.encoder import encoder_name
from shared.embedding.processor import chosen
from shared.errors import InsightsError, JobError, UnavailableError
from shared.features import Array

IDLE = 1.0  # seconds without a text, after which the process ends
PART = 1_000  # texts of one caller in the queue: the rest waits, so that the others' come in between
AT_ONCE = 128  # texts at most in a batch
AHEAD = 2  # batches sent before the first is answered: the next is there when the worker is done with one
DEATHS = 2  # in a row, without an answer in between, until those who wait get an error
PROGRAM = (sys.executable, "-P", "-m", serve.__name__)  # -P: never from a folder that happens to be the current one
_BUFFER = 1 << 21  # bytes: more than the answers to those batches
_STOPPED = "The process that makes vectors has been stopped, since this one ends."
_DIED = (asyncio.IncompleteReadError, BrokenPipeError, ConnectionResetError)
log = logging.getLogger(__name__)

Rows = dict[str, "asyncio.Future[Array]"]


class Embedder:
    """One worker process for all who ask: it starts when it is first needed, and ends when nobody asks any more.

    What several ask at the same time becomes one batch, and a text that two ask for is encoded once. (It is a program
    of its own, no fork as in `shared/worker.py`, and so holds nothing but what it needs.)
    """

    def __init__(
        self,
        precision: Precision = "auto",
        folder: Path | None = None,
        *,
        idle: float = IDLE,
        program: Sequence[str] = PROGRAM,
    ) -> None:
        """`folder` keeps the model's graph; the user's cache if it is not given. `program` is a worker as `serve`."""
        self._precision: Precision = precision
        self._folder = folder
        self._idle = idle
        self._program = program
        self._rows: Rows = {}  # of texts that wait or are with the worker
        self._queue: asyncio.Queue[str] = asyncio.Queue()
        self._sent: deque[list[str]] = deque()  # batches without an answer yet
        self._deaths = 0
        self._failure: str | None = None
        self._task: asyncio.Task[None] | None = None
        self._stopped = False
        self._name = encoder_name(precision)

    async def name(self) -> str:
        """Of the encoder, such as "minilm-fp32"; "" without weights."""
        return self._name

    async def encode(self, texts: Sequence[str]) -> Array | None:
        """float32 (n, 384), unit rows in the order of the texts; None without weights.

        Raises UnavailableError where the weights are there but do not work (`check` says the same), or after `stop`;
        JobError where the process dies of these texts.
        """
        if not self._name:
            return None
        vectors = np.empty((len(texts), DIMENSIONS), np.float32)
        for start in range(0, len(texts), PART):
            rows = [self._row(text[:MAX_CHARACTERS]) for text in texts[start : start + PART]]
            await asyncio.wait(set(rows))  # unlike gather, it leaves the rows to others if this caller is cancelled
            vectors[start : start + PART] = [row.result() for row in rows]
        return vectors

    def start(self) -> None:
        """Have the process started, so that whoever asks first need not wait for it."""
        if self._name and not self._rows:
            self._row("")

    async def verify(self) -> None:
        """Raise UsageError, with what to do, where the installed weights are not those that are known."""
        if self._name:
            folder = self._folder or user_folder()
            await asyncio.to_thread(cache.verify, chosen(self._precision), folder)

    async def check(self) -> None:
        """Raise UnavailableError with a sentence where the weights are installed but do not work."""
        if self._failure is not None:
            raise UnavailableError(self._failure)

    async def stop(self) -> None:
        """End the process at once. Who still waits, or comes later, gets UnavailableError."""
        self._stopped = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._fail(list(self._rows), UnavailableError(_STOPPED))

    def _row(self, text: str) -> "asyncio.Future[Array]":
        """What will be the vector of this text."""
        if self._stopped:
            raise UnavailableError(_STOPPED)
        if text not in self._rows:
            self._rows[text] = asyncio.get_running_loop().create_future()
            self._queue.put_nowait(text)
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="embedder")
        return self._rows[text]

    async def _run(self) -> None:
        """A process whenever there are texts, for as long as they come."""
        while True:
            if not self._sent:
                self._sent.append(self._batch(await self._queue.get()))
            try:
                async with self._worker() as worker:
                    await self._feed(worker)
            except UnavailableError as error:
                log.error("No vectors can be made: %s", error)
                self._failure = str(error)
                self._fail(list(self._rows), error)
            except _DIED:
                self._note_death()

    @contextlib.asynccontextmanager
    async def _worker(self) -> AsyncIterator[Process]:
        """A process that has its weights. Raises UnavailableError with its sentence where it can't have them."""
        command = (*self._program, self._precision, str(self._folder or ""))
        try:
            process = await asyncio.create_subprocess_exec(
                *command, stdin=PIPE, stdout=PIPE, limit=_BUFFER, start_new_session=True
            )
        except OSError as error:
            raise UnavailableError(f"No process can be started ({error.strerror}): is there enough memory?") from error
        try:
            word = json.loads(await _stream(process.stdout).readuntil())
            if "error" in word:
                raise UnavailableError(word["error"])
            self._failure = None
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            self._exit_code = await process.wait()

    async def _feed(self, worker: Process) -> None:
        """Batches in, vectors out, until nobody has asked for a while."""
        for batch in self._sent:
            self._send(worker, batch)
        while self._sent:
            vectors = await _stream(worker.stdout).readexactly(len(self._sent[0]) * DIMENSIONS * 4)
            self._deaths = 0
            self._fulfil(self._sent.popleft(), vectors)
            while len(self._sent) < AHEAD and (text := await self._next()) is not None:
                self._sent.append(self._batch(text))
                self._send(worker, self._sent[-1])

    async def _next(self) -> str | None:
        """A text that waits; None if there is none, nor comes one while the worker would have nothing to do."""
        if self._sent or not self._queue.empty():
            return None if self._queue.empty() else self._queue.get_nowait()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._idle):
                return await self._queue.get()
        return None

    def _batch(self, first: str) -> list[str]:
        batch = [first]
        while len(batch) < AT_ONCE and not self._queue.empty():
            batch.append(self._queue.get_nowait())
        return batch

    @staticmethod
    def _send(worker: Process, batch: list[str]) -> None:
        """Without waiting: what is sent ahead is small, and if the worker is gone its answer does not come."""
        assert worker.stdin is not None
        worker.stdin.write(serve.frame(batch))

    def _fulfil(self, batch: list[str], vectors: bytes) -> None:
        for text, row in zip(batch, np.frombuffer(vectors, "<f4").reshape(-1, DIMENSIONS), strict=True):
            self._rows.pop(text).set_result(row)

    def _note_death(self) -> None:
        """The batches are tried again in a new process, once: they may be what it died of."""
        self._deaths += 1
        sentence = f"The process that makes vectors died (exit code {self._exit_code}): is there enough memory?"
        log.warning("%s", sentence)
        if self._deaths == DEATHS:
            self._deaths = 0
            self._fail([text for batch in self._sent for text in batch], JobError(sentence))

    def _fail(self, texts: Sequence[str], error: InsightsError) -> None:
        """Those who wait for these texts get the error; nothing of them is left."""
        for text in texts:
            row = self._rows.pop(text)
            row.set_exception(error)
            row.exception()  # perhaps nobody waits any more, and then nobody need be told
        self._sent.clear()
        waiting = [self._queue.get_nowait() for _ in range(self._queue.qsize())]
        for text in waiting:
            if text in self._rows:
                self._queue.put_nowait(text)


def _stream(pipe: asyncio.StreamReader | None) -> asyncio.StreamReader:
    assert pipe is not None
    return pipe
