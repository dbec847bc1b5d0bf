"""The management of a running `rvae serve`, as its socket offers it."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import requests

from rvae.errors import FieldError, require
from rvae.serving.torchserve.registrations import Registration, registration_of
from rvae.serving.unix_http import UnixSession
from rvae.serving.versions.served import ModelState, ServerState, other_version, server_of

__all__ = ["PATIENCE_SECONDS", "Management", "RefusedError", "SilentError"]

# A DELETE answers after the requests under way; see the gateway's limits.
SECONDS = 600.0
# What the server says of itself waits for nothing. One that starts may still look at its store.
OWN_SECONDS = 15.0
# A TorchServe that is replaced is back in less.
PATIENCE_SECONDS = 120.0
PAUSE_SECONDS = 0.5
GONE = (404, 410)
HOST = "http://localhost"


class RefusedError(FieldError):
    """The server did not do what it was asked for.

    Attributes:
        status: Of HTTP.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__("server", message)
        self.status = status


class SilentError(FieldError):
    """The server has not answered in time: it was stopped, or hangs."""


class Management:
    """Speaks with the management socket of a server.

    While the server replaces its TorchServe it answers 503; then the same is asked again, so that
    every method here returns when it is done, or raises.

    Args:
        socket: The socket.
        patience: Seconds in which the server must be there again.

    Raises:
        FieldError: If the server cannot be reached; from every method.
        SilentError: If it does not answer; from every method.
        RefusedError: If it answers with an error; from every method.
    """

    def __init__(self, socket: Path, patience: float = PATIENCE_SECONDS) -> None:
        self._socket = socket
        self._patience = patience

    def server(self) -> ServerState:
        """What is served, and where."""
        return server_of(self._asked("GET", "/server", seconds=OWN_SECONDS).json())

    def model(self, name: str) -> ModelState | None:
        """What is served of a model; None if nothing is."""
        return self.server().models.get(name)

    def registrations(self, name: str) -> dict[str, Registration]:
        """The registered versions of a model, none if it is not served."""
        try:
            found = self._asked("GET", f"/models/{name}/all").json()
            (default,) = self._asked("GET", f"/models/{name}").json()
        except RefusedError as refused:
            if refused.status not in GONE:
                raise
            return {}
        known = [registration_of(one, default["modelUrl"]) for one in found]
        return {one.version: one for one in known}

    def describe(self, name: str, version: str) -> dict[str, Any]:
        """The description that a version gives of itself."""
        params = {"customized": "true"}
        (model,) = self._asked("GET", f"/models/{name}/{version}", params=params).json()
        described = model["customizedMetadata"]
        return json.loads(described) if isinstance(described, str) else described

    def log_position(self, name: str, version: str) -> int:
        """Where the server's log of a version's workers ends now; the version may be to come.

        Raises:
            FieldError: Also if the server is an older one, which does not tell.
        """
        told = self._failure(name, version)
        if "position" not in told:
            raise other_version()
        return int(told["position"])

    def failure(self, name: str, version: str, since: int) -> str | None:
        """Why workers of a version ended, or one of them, since a position of their log.

        None if they did not, and if the server does not have the version and knows no reason.
        """
        return self._failure(name, version, since=str(since)).get("reason")

    def register(self, file: str, workers: int) -> None:
        """Let the server begin to load an archive of its store; it may still fail then."""
        params = {"url": file, "initial_workers": str(workers), "synchronous": "false"}
        self._asked("POST", "/models", params=params, done=(409,))

    def unregister(self, name: str, version: str) -> None:
        """Let requests under way be answered, and end the workers of a version."""
        self._asked("DELETE", f"/models/{name}/{version}", done=GONE)

    def scale(self, name: str, version: str, workers: int) -> None:
        """Let a version have another number of workers; more of them begin to load."""
        self._asked("PUT", f"/models/{name}/{version}", params={"min_worker": str(workers)})

    def make_default(self, name: str, version: str) -> None:
        """Answer requests without a version by this one."""
        self._asked("PUT", f"/models/{name}/{version}/set-default")

    def share(self, kind: str, name: str, version: str, share: float) -> None:
        """Give a version a share of the default's requests.

        Args:
            kind: "canary" answers clients; "shadow" gets copies, and its answers are dropped.
            name: Of the model.
            version: Of the model.
            share: From 0, which ends it, to 1.
        """
        self._asked("PUT", f"/models/{name}/{version}/{kind}", params={"share": f"{share:g}"})

    def traffic(self, name: str, requests: int, seconds: float) -> list[Mapping[str, Any]]:
        """The next live requests of a model: as many, or those of so many seconds."""
        params = {"requests": str(requests), "seconds": f"{seconds:g}"}
        path, whole = f"/models/{name}/traffic", seconds + OWN_SECONDS
        return self._asked("GET", path, seconds=whole, params=params).json()["requests"]

    def predict(self, path: str, body: bytes, headers: Mapping[str, str]) -> requests.Response:
        """The answer of a model, whatever its status."""
        return self._answer("POST", path, data=body, headers=headers)[0]

    def health(self) -> tuple[str, ...]:
        """Why the server is not ready, or soon will not be; empty if all is well."""
        answer, _ = self._answer("GET", "/ping", OWN_SECONDS)
        return tuple(answer.json()["reasons"])

    def metrics(self) -> str:
        """The metrics in the format of Prometheus."""
        return self._asked("GET", "/metrics", seconds=OWN_SECONDS).text

    def _failure(self, name: str, version: str, **params: str) -> dict[str, Any]:
        """What the server tells of a version's workers; nothing where it knows none, or no path."""
        path = f"/models/{name}/{version}/failure"
        try:
            answer = self._asked("GET", path, seconds=OWN_SECONDS, params=params)
        except RefusedError as refused:
            if refused.status not in GONE:
                raise
            return {}
        return dict(answer.json())

    def _asked(
        self,
        method: str,
        path: str,
        *,
        seconds: float = SECONDS,
        done: tuple[int, ...] = (),
        **content: Any,
    ) -> requests.Response:
        """A good answer.

        Args:
            method: Of HTTP.
            path: What is asked.
            seconds: Longest time without an answer.
            done: Statuses that say, of a repeated request, that the first one was heard.
            content: More arguments for `requests`.
        """
        answer, repeated = self._answer(method, path, seconds, **content)
        if not answer.ok and not (repeated and answer.status_code in done):
            raise RefusedError(answer.status_code, _message(answer))
        return answer

    def _answer(
        self, method: str, path: str, seconds: float = SECONDS, **content: Any
    ) -> tuple[requests.Response, bool]:
        """An answer other than "try again", and whether it was asked for repeatedly."""
        deadline, repeated = time.monotonic() + self._patience, False
        while True:
            try:
                # A connection of its own: a kept one may have been closed, and what was sent on it
                # may have been heard or not.
                with UnixSession(self._socket) as session:
                    answer = session.request(method, HOST + path, timeout=seconds, **content)
            except requests.Timeout:
                message = f"{self._socket} did not answer within {seconds:g} s"
                raise SilentError("server", message) from None
            except requests.RequestException:
                require(
                    repeated or self._socket.exists(),
                    "socket",
                    f"no rvae serve has {self._socket}: start one, or name its socket",
                )
                raise FieldError(
                    "server",
                    f"nobody answers at {self._socket}: start that server again, or remove the "
                    "file if it is gone for good",
                ) from None
            if answer.status_code != 503 or time.monotonic() > deadline:
                return answer, repeated
            repeated = True
            time.sleep(_pause(answer))


def _pause(answer: requests.Response) -> float:
    said = answer.headers.get("Retry-After", "")
    return float(said) if said.isdigit() else PAUSE_SECONDS


def _message(answer: requests.Response) -> str:
    """What an error says, which the gateway and TorchServe write alike."""
    try:
        return str(answer.json()["message"])
    except (ValueError, KeyError, TypeError):
        return f"answered {answer.status_code} {answer.reason}"
