"""A gateway with its management before a TorchServe that a test plays."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import orjson

from rvae.errors import FieldError
from rvae.serving.gateway.gateway import Gateway
from rvae.serving.gateway.limits import GatewayLimits
from rvae.serving.gateway.messages import Answer
from rvae.serving.gateway.routes import Served
from rvae.serving.torchserve.management import Management, Surroundings
from rvae.serving.torchserve.registrations import Registration
from tests.support.gateways import Asked, Front, Reply, front, reply

__all__ = ["FakeModels", "FakeVersion", "Managed", "managed"]

PREVIOUS = {"m": "0.9"}
LIMITS = GatewayLimits(drain_seconds=0.0)
FAILS = "W-9000-m_2.0-stdout - Backend worker process died\nW-9000-m_2.0-stdout - OSError: torn\n"


@dataclass
class FakeVersion:
    """A version that TorchServe has.

    Attributes:
        workers: Whether each of them is ready.
        least: Of the registration.
        most: Of the registration.
    """

    workers: list[bool] = field(default_factory=lambda: [True])
    least: int = 1
    most: int = 1


@dataclass
class FakeModels:
    """TorchServe with one model, which harms requests as the real one does.

    Attributes:
        versions: By their names.
        default: Among them.
        hold: Predictions are answered when it is set.
        loads: Workers that are asked for load when it is set.
        running: Predictions at the moment, by version.
        harmed: Changes that came while a version had predictions.
        changes: All changes, as they were asked for.
        silent: Whether it tells nothing of what it serves.
    """

    versions: dict[str, FakeVersion]
    default: str
    hold: asyncio.Event = field(default_factory=asyncio.Event)
    loads: asyncio.Event = field(default_factory=asyncio.Event)
    running: dict[str, int] = field(default_factory=dict)
    harmed: list[str] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)
    silent: bool = False

    async def __call__(self, asked: Asked) -> Answer:
        method, target, _ = asked.line.split()
        url = urlsplit(target)
        parts, query = url.path.split("/")[1:], dict(parse_qsl(url.query))
        if parts[0] == "predictions":
            return await self._predict(parts[2])
        if method == "GET":
            return self._told(parts, query)
        self.changes.append(f"{method} {target}")
        version = parts[2] if len(parts) > 2 else ""
        if self.running.get(version) and parts[-1] != "set-default":
            self.harmed.append(f"{method} {target}")
        return self._changed(method, parts, query)

    async def _predict(self, version: str) -> Answer:
        self.running[version] = self.running.get(version, 0) + 1
        await self.hold.wait()
        self.running[version] -= 1
        return _said(200, version)

    def _told(self, parts: Sequence[str], query: Mapping[str, str]) -> Answer:
        if self.silent:
            return _said(500, "silent")
        if len(parts) == 1:
            models = [{"modelName": "m", "modelUrl": f"m-{self.default}.mar"}]
            return _said(200, {"models": models if self.versions else []})
        if len(parts) == 2:
            return _said(200, [self._described(self.default)])
        if parts[2] == "all":
            return _said(200, [self._described(one) for one in self.versions])
        if parts[2] not in self.versions:
            return _said(404, "unknown")
        return _said(200, [self._described(parts[2]) | {"customizedMetadata": dict(query)}])

    def _described(self, version: str) -> dict[str, object]:
        one = self.versions[version]
        states = {True: "READY", False: "UNLOADING"}
        return {
            "modelName": "m",
            "modelVersion": version,
            "modelUrl": f"m-{version}.mar",
            "minWorkers": one.least,
            "maxWorkers": one.most,
            "batchSize": 1,
            "maxBatchDelay": 1,
            "responseTimeout": 60,
            "startupTimeout": 60,
            "workers": [{"pid": 1, "status": states[ready]} for ready in one.workers],
        }

    def _changed(self, method: str, parts: Sequence[str], query: Mapping[str, str]) -> Answer:
        match method, *parts:
            case "POST", "models":
                version = query["url"].removeprefix("m-").removesuffix(".mar")
                if version in self.versions:
                    return _said(409, "is registered")
                least = int(query.get("initial_workers", 0))
                self.versions[version] = FakeVersion([], least, least)
                self.default = self.default or version
                self._start(version, least)
                if query["url"].startswith("fails-"):
                    return _said(500, "failed")
            case "PUT", "models", _, version, "set-default" if version in self.versions:
                self.default = version
            case "PUT", "models", _, version if version in self.versions:
                one = self.versions[version]
                one.least, one.most = int(query["min_worker"]), int(query["max_worker"])
                if one.most < one.least:
                    return _said(400, "max_worker")
                del one.workers[one.most :]
                self._start(version, one.least - len(one.workers))
            case "DELETE", "models", _, version if version in self.versions:
                if version == self.default and len(self.versions) > 1:
                    return _said(403, "is the default")
                del self.versions[version]
                self.default = self.default if self.versions else ""
                return _said(200, "unregistered")
            case _:
                return _said(404, "unknown")
        return _said(200 if parts[-1] == "set-default" or not self._scales(query) else 202, "done")

    def _scales(self, query: Mapping[str, str]) -> bool:
        return query.get("initial_workers", "1") != "0"

    def _start(self, version: str, workers: int) -> None:
        places = self.versions[version].workers

        async def load() -> None:
            await self.loads.wait()
            places[:] = [True] * len(places)

        if workers > 0:
            places += [False] * workers
            self._task = asyncio.ensure_future(load())


def _said(status: int, content: object) -> Answer:
    said = {"status": content} if isinstance(content, str) else content
    return Answer(status, orjson.dumps(said), {"content-type": "application/json"})


@dataclass
class Managed:
    """A server of which TorchServe is played.

    Attributes:
        front: The gateway.
        models: TorchServe.
        logs: Folder of logs.
        told: What was told of what is served, after each change.
        refused: Files that must not be registered.
        manager: The management.
    """

    front: Front
    models: FakeModels
    logs: Path
    told: list[list[tuple[str, str, bool]]]
    refused: set[str]
    manager: Management

    async def ask(self, method: str, target: str, body: bytes = b"", *lines: str) -> Reply:
        """The answer of the management."""
        reader, writer = await asyncio.open_unix_connection(self.front.management)
        head = [f"{method} {target} HTTP/1.1", "Host: localhost", "Connection: close", *lines]
        head += [f"Content-Length: {len(body)}", "", ""]
        writer.write("\r\n".join(head).encode() + body)
        answer = await reader.read()
        writer.close()
        return reply(answer)

    def fail(self) -> None:
        """Let the log of the workers say that version 2.0 does not load."""
        (self.logs / "model.log").write_text(FAILS * 2)


@asynccontextmanager
async def managed(models: FakeModels, limits: GatewayLimits = LIMITS) -> AsyncIterator[Managed]:
    """A server of model `m`; at its end nothing is left."""
    told: list[list[tuple[str, str, bool]]] = []
    refused: set[str] = set()

    def check(url: str) -> None:
        if url in refused:
            raise FieldError("url", "is torn")

    def changed(registrations: Sequence[Registration]) -> None:
        told.append([(one.name, one.version, one.default) for one in registrations])

    with tempfile.TemporaryDirectory() as folder:
        logs = Path(folder)
        around = Surroundings(
            Path("/store"), logs, "http://p", "http://m", check, changed, lambda: PREVIOUS
        )
        managers = []

        def manage(gateway: Gateway) -> Management:
            managers.append(Management(limits, gateway, around))
            return managers[0]

        served = {"m": Served(models.default, frozenset(models.versions))}
        async with front(models, limits, manage=manage, served=served) as one:
            try:
                yield Managed(one, models, logs, told, refused, managers[0])
            finally:
                await managers[0].close()
