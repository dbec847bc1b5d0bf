"""How long a version is waited for, and what ends the wait."""

import asyncio
from pathlib import Path

import pytest

from rvae.serving.torchserve.management import readiness
from rvae.serving.torchserve.management.models import Models
from rvae.serving.torchserve.management.readiness import until_ready
from rvae.serving.torchserve.worker_log import WorkerLog
from tests.support.gateways import front
from tests.support.managed import FAILS, LIMITS, FakeModels, FakeVersion


@pytest.mark.parametrize(
    ("version", "least", "log", "silent", "reason"),
    [
        ("1.0", 1, "", False, None),
        ("1.0", 2, "", False, "it has not loaded within 0.1 s"),
        ("2.0", 1, 2 * FAILS, False, "OSError: torn"),
        ("2.0", 1, 2 * FAILS.replace("2.0", "1.0"), False, "it has not loaded within 0.1 s"),
        ("3.0", 1, "", False, "it was unregistered meanwhile"),
        ("1.0", 1, "", True, "TorchServe was replaced meanwhile"),
    ],
)
def test_the_end_of_the_wait(
    version: str,
    least: int,
    log: str,
    silent: bool,
    reason: str | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(readiness, "POLL_SECONDS", 0.001)
    versions = {"1.0": FakeVersion(), "2.0": FakeVersion([False])}

    async def run() -> None:
        async with front(FakeModels(versions, "1.0", silent=silent)) as one:
            models = Models(LIMITS)
            models.use(one.backend)
            worker_log = WorkerLog(tmp_path)
            (tmp_path / "model.log").write_text(log)
            found = await until_ready(models, ("m", version), least, worker_log, 0.1)
            assert found == reason
            models.use(None)

    asyncio.run(run())
