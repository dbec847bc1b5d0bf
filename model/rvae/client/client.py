"""A model on a server, for frames, files and arrays."""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from threading import Lock
from time import monotonic
from types import TracebackType
from typing import Any, Literal, Self, TypeVar
from urllib.parse import urlsplit

import numpy as np
import orjson
from numpy.typing import ArrayLike, NDArray

from rvae.client.answers import read_array
from rvae.client.bodies import MOST_SERIES, windows_request
from rvae.client.bulk import Bulk
from rvae.client.calls import in_order
from rvae.client.description import Description
from rvae.client.errors import AnswerError, ClientError, RefusedError
from rvae.client.pieces import Budget
from rvae.client.records import (
    Judging,
    event_records,
    latent_records,
    point_records,
    reconstruction_records,
    window_records,
)
from rvae.client.retries import ask
from rvae.client.transport import Answer, Call, Outgoing, Transport
from rvae.errors import require
from rvae.inference.reading import read_for
from rvae.inference.results import results_by_row, results_like

__all__ = ["Client"]

# For so long a version answers all calls before it is asked which one is the default.
DESCRIPTION_SECONDS = 5.0
# A server that was never reached is more likely not there than busy.
FIRST_SECONDS = 10.0
# What a server says of a version that it serves no more.
RETIRED = frozenset({404, 410})
# So often a call begins with another version in place of one that was retired meanwhile.
MOST_VERSIONS = 3

T = TypeVar("T")


class Client:
    """A model on a server: `rvae.Model` without its weights.

    Data is a frame of pandas, polars or Arrow, the path of a file, or an array (N,), (N, C) or
    (S, N, C). Columns are matched by name, in any order. Results are frames of the same library;
    for a path or an array they are tables of Arrow. They are those of the model in this process.

    A request that gets no answer is sent again: a prediction changes nothing. All requests of a
    call are answered by one version, also while another one becomes the default.

    A client may be used by several threads. It is a context that closes its connections.

    Args:
        url: Address of the server, such as http://localhost:8080.
        model: Name of the model.
        version: Its version; the server's default if left out.
        timeout: Seconds that a request may take, with all its repetitions.
        deadline: Seconds that a whole call may take; without end if left out.
        connections: Requests at the same time.
        progress: Whether to show how many windows are done.
        headers: Headers of every request, such as those that a proxy checks.
        verify: Whether certificates are checked, or the path of those that are trusted.

    Raises:
        FieldError: If an argument is not valid.
    """

    def __init__(
        self,
        url: str,
        model: str = "rvae",
        version: str | None = None,
        timeout: float = 60.0,
        deadline: float | None = None,
        connections: int = 8,
        progress: bool = False,
        headers: Mapping[str, str] | None = None,
        verify: bool | str = True,
    ) -> None:
        parts = urlsplit(url)
        known = parts.scheme in ("http", "https") and parts.hostname
        require(bool(known), "url", f"must be that of a server, such as http://host:8080: {url}")
        require(timeout > 0, "timeout", f"must be positive, got {timeout}")
        require(deadline is None or deadline > 0, "deadline", f"must be positive, got {deadline}")
        require(connections >= 1, "connections", f"must be at least 1, got {connections}")
        self._model = model
        self._version = version
        self._path = f"/predictions/{model}" + (f"/{version}" if version is not None else "")
        self._timeout = timeout
        self._deadline = deadline
        self._connections = connections
        self._progress = progress
        self._transport = Transport(url, connections, headers or {}, verify)
        self._lock = Lock()
        self._known: tuple[float, Description] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    @property
    def description(self) -> Description:
        """What the server says of the model, not older than a few seconds.

        Raises:
            RefusedError: If there is no such model or version.
            UnavailableError: If the server cannot be reached.
        """
        return self._describe(self._call())

    def score(
        self,
        data: Any,
        by: Literal["point", "window"] = "point",
        stride: int | None = None,
        quantile: float | None = None,
        adapt: float | None = None,
        alarms: str | None = None,
    ) -> Any:
        """Score data.

        Args:
            data: See the class.
            by: "point": a row per row of the data, with the same index. "window": a row per window.
            stride: Steps between windows; the model's own if left out.
            quantile: Quantile of normal scores that is the threshold; the model's own if left out.
            adapt: Rate from 0 to 0.1 at which the threshold follows each series.
            alarms: At most so many false events, "1 per week" or "1 per 10000 steps", in place of
                the quantile.

        Raises:
            FieldError: If the data does not fit the model, or an option is not valid.
            UnavailableError: If an answer did not come in time.
        """
        require(by in ("point", "window"), "by", f"must be point or window, got {by!r}")
        judging = Judging(quantile, alarms, adapt)
        rows = window_records if by == "window" else point_records
        return self._results(rows, data, stride, judging, by_row=by == "point")

    def events(
        self,
        data: Any,
        stride: int | None = None,
        quantile: float | None = None,
        adapt: float | None = None,
        gap: int | None = None,
        alarms: str | None = None,
    ) -> Any:
        """Anomalous stretches of data, a row per event.

        Args:
            data: See the class.
            stride: Steps between windows; the model's own if left out.
            quantile: Quantile of normal scores that is the threshold; the model's own if left out.
            adapt: Rate from 0 to 0.1 at which the threshold follows each series.
            gap: Maximum steps between windows of one event; the stride if left out.
            alarms: At most so many false events, in place of the quantile.

        Raises:
            FieldError: If the data does not fit the model, or an option is not valid.
            UnavailableError: If an answer did not come in time.
        """
        judging = Judging(quantile, alarms, adapt, gap)
        return self._results(event_records, data, stride, judging)

    def encode(self, data: Any, stride: int | None = None) -> Any:
        """Latents of data, a row per window with the columns `latent_0` and so on.

        Args:
            data: See the class.
            stride: Steps between windows; the model's own if left out.

        Raises:
            FieldError: If the data does not fit the model.
            UnavailableError: If an answer did not come in time.
        """
        return self._results(latent_records, data, stride)

    def reconstruct(self, data: Any, stride: int | None = None) -> Any:
        """Reconstruction of data, a row per row of the data with a column per channel.

        Args:
            data: See the class.
            stride: Steps between windows; the model's own if left out.

        Raises:
            FieldError: If the data does not fit the model.
            UnavailableError: If an answer did not come in time.
        """
        return self._results(reconstruction_records, data, stride, by_row=True)

    def score_windows(self, windows: ArrayLike) -> NDArray[Any]:
        """Scores (S,) of windows (S, T) or (S, T, C) of numbers, NaN where missing.

        Raises:
            FieldError: If they do not fit the model.
            UnavailableError: If an answer did not come in time.
        """
        return self._of_windows(windows, "score", (1,))[:, 0]

    def encode_windows(self, windows: ArrayLike) -> NDArray[Any]:
        """Latents (S, D) of windows (S, T) or (S, T, C) of numbers, NaN where missing.

        Raises:
            FieldError: If they do not fit the model.
            UnavailableError: If an answer did not come in time.
        """
        return self._of_windows(windows, "latent", (1, None))[:, 0]

    def decode(self, latent: ArrayLike, label: str | None = None) -> NDArray[Any]:
        """Windows (S, T, C) of latents (S, D), in the data's units.

        Args:
            latent: The latents.
            label: Class of the windows, if the model is conditional.

        Raises:
            FieldError: If the latents have another shape, or the class is missing or unknown.
            UnavailableError: If an answer did not come in time.
        """
        fields = {"task": "decode", "latent": np.asarray(latent, np.float64).tolist()}
        return self._drawn(fields | ({} if label is None else {"label": label}))

    def sample(self, count: int = 1, label: str | None = None, seed: int = 0) -> NDArray[Any]:
        """Windows (S, T, C) drawn from the model, in the data's units.

        Args:
            count: Number of windows S.
            label: Class of the windows, if the model is conditional.
            seed: Seed of the latents.

        Raises:
            FieldError: If the class is missing or unknown.
            UnavailableError: If an answer did not come in time.
        """
        fields: dict[str, Any] = {"task": "sample", "count": count, "seed": seed}
        return self._drawn(fields | ({} if label is None else {"label": label}))

    def ask(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to the fields of a request in JSON, as both are documented for HTTP.

        Raises:
            FieldError: If the server refuses them.
            UnavailableError: If an answer did not come in time.
        """
        call = self._call()
        body = orjson.dumps(fields, option=orjson.OPT_SERIALIZE_NUMPY)
        request = Outgoing(self._path, body, {"Content-Type": "application/json"})

        def read(answer: Answer) -> dict[str, Any]:
            try:
                content = orjson.loads(answer.body)
            except orjson.JSONDecodeError as error:
                raise AnswerError(answer.status, "server", f"sent no JSON: {error}") from error
            return dict(content)

        return ask(self._transport, request, read, self._timeout, call)

    def run(self, work: Callable[[Bulk], T]) -> T:
        """What some work returns, whose requests one version answers.

        Where that version is retired meanwhile, and was not asked for by its name, the work begins
        again with the version that is the default then.

        Args:
            work: Asks for the results of series.

        Raises:
            RefusedError: If a request is refused, or versions are retired again and again.
            UnavailableError: If an answer did not come in time.
        """
        whole = Call(self._deadline)
        for number in range(1, MOST_VERSIONS + 1):
            known = None
            try:
                with self.bulk(whole.left(math.inf)) as bulk:
                    known = bulk.description
                    return work(bulk)
            except RefusedError as error:
                lasts = known is None or self._version is not None or error.status not in RETIRED
                if lasts or number == MOST_VERSIONS:
                    raise
        raise AssertionError("unreachable")

    @contextmanager
    def bulk(self, seconds: float | None = None) -> Iterator[Bulk]:
        """What asks one version for the results of series, until the context ends.

        Args:
            seconds: How long all of it may take; the deadline of the client if left out.
        """
        call = Call(self._deadline if seconds is None else seconds)
        try:
            known = self._describe(call)
            yield Bulk(
                self._transport, known, call, self._timeout, self._connections, self._progress
            )
        except ClientError as error:
            if error.status in RETIRED:  # the next call asks which version there is
                self._forget()
            raise
        finally:
            call.end()

    def _results(
        self,
        records: Callable[..., Iterator[dict[str, Any]]],
        data: Any,
        stride: int | None,
        *options: Any,
        by_row: bool = False,
    ) -> Any:
        def work(bulk: Bulk) -> Any:
            reader = bulk.description.reader
            series = read_for(bulk.description, data, None, None, None, labels=False).series
            rows = records(bulk, series, stride, *options)
            shaped = results_by_row if by_row else results_like
            return shaped(rows, series, data, reader)

        return self.run(work)

    def _of_windows(
        self, windows: ArrayLike, output: str, shape: tuple[int | None, ...]
    ) -> NDArray[Any]:
        """An output of windows, in the order of the windows."""

        def work(bulk: Bulk) -> NDArray[Any]:
            known, values = bulk.description, np.asarray(windows)
            if values.ndim == 2 and len(known.channels) == 1:
                values = values[..., None]
            expected = (known.window, len(known.channels))
            require(
                values.ndim == 3 and values.shape[1:] == expected and len(values) > 0,
                "windows",
                f"expected (S, {expected[0]}, {expected[1]}), got {values.shape}",
            )
            options = {"output": [output]}
            budget = Budget.of(known, bulk.values_of(len(values)), known.latent, 0, MOST_SERIES)
            count = max(1, min(budget.windows, budget.steps // known.window, budget.series))

            def answered(part: NDArray[Any]) -> NDArray[Any]:
                return ask(
                    self._transport,
                    windows_request(known, part, options),
                    lambda answer: read_array(answer, (len(part), *shape)),
                    self._timeout,
                    bulk.call,
                )

            parts = (values[at : at + count] for at in range(0, len(values), count))
            return np.concatenate(list(in_order(answered, parts, self._connections, bulk.call)))

        return self.run(work)

    def _drawn(self, fields: Mapping[str, Any]) -> NDArray[Any]:
        """Windows that the model generates, as numbers."""
        headers = {"Content-Type": "application/json", "Accept": "application/octet-stream"}

        def work(bulk: Bulk) -> NDArray[Any]:
            known = bulk.description
            request = Outgoing(known.path, orjson.dumps(fields), headers)
            shape = (None, known.window, len(known.channels))
            return ask(
                self._transport,
                request,
                lambda answer: read_array(answer, shape),
                self._timeout,
                bulk.call,
            )

        return self.run(work)

    def _call(self) -> Call:
        return Call(self._deadline)

    def _describe(self, call: Call) -> Description:
        began = monotonic()
        with self._lock:
            if self._known is not None and monotonic() - self._known[0] < DESCRIPTION_SECONDS:
                return self._known[1]
            seconds = min(self._timeout, FIRST_SECONDS) if self._known is None else self._timeout
            # Who had to wait for another thread, which got no answer, does not begin anew.
            seconds = max(0.0, seconds - (monotonic() - began))
            read = partial(Description.read, model=self._model)
            found = ask(self._transport, Outgoing(self._path), read, seconds, call)
            self._known = (monotonic(), found)
            return found

    def _forget(self) -> None:
        with self._lock:
            self._known = None
