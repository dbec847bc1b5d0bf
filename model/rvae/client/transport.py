"""Requests over connections that are kept, each of which ends in time whatever the server does."""

import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from threading import Event, Lock, Timer, local
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

__all__ = ["Answer", "Call", "Outgoing", "Transport"]

MAX_ANSWER = 1 << 26  # bytes, ten times what a server sends
CONNECT_SECONDS = 5.0
BYTES_AT_ONCE = 1 << 16


@dataclass(frozen=True)
class Outgoing:
    """A request.

    Attributes:
        path: Path behind the address of the server.
        body: Body; a request without one asks for a description.
        headers: Headers by name.
    """

    path: str
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """An answer: status, headers in any case, and body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Call:
    """The requests that one call of a method makes, which end together.

    Args:
        seconds: How long all of it may take; without end if None.
    """

    def __init__(self, seconds: float | None = None) -> None:
        self.ended = Event()
        self._end = None if seconds is None else time.monotonic() + seconds
        self._watches: set[_Watch] = set()
        self._lock = Lock()

    def left(self, seconds: float) -> float:
        """Seconds that a request may still take, of some that it may take alone."""
        if self._end is None:
            return seconds
        return max(0.0, min(seconds, self._end - time.monotonic()))

    def end(self) -> None:
        """Break off what is under way, and wait for nothing any more."""
        with self._lock:
            self.ended.set()
            for watch in self._watches:
                watch.hang_up()

    def add(self, watch: "_Watch") -> None:
        """Break a request off when the call ends."""
        with self._lock:
            self._watches.add(watch)
            if self.ended.is_set():
                watch.hang_up()

    def remove(self, watch: "_Watch") -> None:
        """Leave a request alone."""
        with self._lock:
            self._watches.discard(watch)


class Transport:
    """A server, and the connections to it.

    Args:
        url: Its address.
        connections: Connections that are kept.
        headers: Headers of every request.
        verify: Whether certificates are checked, or the path of those that are trusted.
    """

    def __init__(
        self, url: str, connections: int, headers: Mapping[str, str], verify: bool | str
    ) -> None:
        self._url = url.rstrip("/")
        self._session = requests.Session()
        self._verify = verify
        self._session.headers.update({"Accept-Encoding": "identity", **headers})
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, _Adapter(pool_maxsize=connections))

    def send(self, request: Outgoing, seconds: float, call: Call) -> Answer:
        """The answer to a request that is sent once.

        Raises:
            TimeoutError: If it did not come in time.
            ConnectionError: If it did not come whole.
        """
        watch = _Watch(seconds)
        call.add(watch)
        try:
            with watch, self._exchange(request, seconds) as response:
                body = b""
                for part in response.iter_content(BYTES_AT_ONCE):
                    body += part
                    if len(body) > MAX_ANSWER:
                        raise ConnectionError(f"sends more than {MAX_ANSWER} bytes")
                if watch.has_hung_up:  # which may look like the end of an answer
                    raise ConnectionError("was broken off")
                return Answer(response.status_code, response.headers, body)
        except (requests.RequestException, OSError, ValueError) as error:
            # A connection that was shut may fail in any way.
            if watch.is_over or isinstance(error, requests.Timeout):
                raise TimeoutError(f"{self._url} did not answer in time") from error
            raise ConnectionError(f"{self._url}: {_reason(error)}") from error
        finally:
            call.remove(watch)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _exchange(self, request: Outgoing, seconds: float) -> requests.Response:
        return self._session.request(
            "GET" if request.body is None else "POST",
            f"{self._url}{request.path}",
            data=request.body,
            headers=dict(request.headers),
            timeout=(min(seconds, CONNECT_SECONDS), seconds),
            allow_redirects=False,
            stream=True,
            # Of the session, what the environment names would come before it.
            verify=self._verify,
        )


class _Watch:
    """Hangs up when the time of a request is over.

    Timeouts of sockets begin anew with every byte: a server that sends one now and then would never
    meet them.
    """

    def __init__(self, seconds: float) -> None:
        self.is_over = self.has_hung_up = False
        self._is_done = False
        self._lock = Lock()
        self._socket: socket.socket | None = None
        self._timer = Timer(seconds, self._expire)
        self._timer.daemon = True

    def __enter__(self) -> None:
        _watching.watch = self
        self._timer.start()

    def __exit__(self, *_: Any) -> None:
        _watching.watch = None
        self._timer.cancel()
        with self._lock:
            self._is_done = True  # by now the connection may be another request's

    def use(self, connected: socket.socket | None) -> None:
        """The socket of the request."""
        with self._lock:
            self._socket = connected
            if self.has_hung_up:
                self._shut()

    def hang_up(self) -> None:
        """Shut the socket: whoever reads or writes fails at once."""
        with self._lock:
            if not self._is_done:
                self.has_hung_up = True
                self._shut()

    def _shut(self) -> None:
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def _expire(self) -> None:
        self.is_over = True
        self.hang_up()


class _Watching(local):
    """The watch of the request that a thread sends now."""

    watch: _Watch | None = None


_watching = _Watching()


def _show(connected: socket.socket | None) -> None:
    if _watching.watch is not None:
        _watching.watch.use(connected)


class _Watched(HTTPConnection):
    """A connection that shows its socket to the watch of the request that uses it."""

    def connect(self) -> None:
        super().connect()
        _show(self.sock)

    def request(self, *args: Any, **kwargs: Any) -> None:
        _show(self.sock)
        super().request(*args, **kwargs)


class _WatchedTLS(_Watched, HTTPSConnection):
    """The same over TLS."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Watched


class _PoolTLS(HTTPSConnectionPool):
    ConnectionCls = _WatchedTLS


POOLS = {"http": _Pool, "https": _PoolTLS}


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = POOLS

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = POOLS
        return manager


def _reason(error: Exception) -> str:
    """What is at the bottom of an error of requests, which wraps those of urllib3."""
    while (cause := error.__context__) is not None and isinstance(cause, Exception):
        error = cause
    known = error.strerror if isinstance(error, OSError) else None
    return known or str(error) or type(error).__name__
