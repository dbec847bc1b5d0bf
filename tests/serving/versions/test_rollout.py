"""Rollouts against a management that answers what a test says."""

import os
import re
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rvae.errors import FieldError
from rvae.inference.engine import Engine
from rvae.serving.golden import Golden
from rvae.serving.versions.bounds import Bounds
from rvae.serving.versions.candidate import Candidate
from rvae.serving.versions.rollout import RolloutOptions, rollout
from rvae.serving.versions.servers import Servers
from rvae.serving.versions.steps import Steps
from tests.support.fake_archives import fake_archive
from tests.support.fake_management import FakeManagement, FakeVersion, fake_management

OPTIONS = RolloutOptions(timeout=5, seconds=0, watch=0.01)
GOLDEN = Golden({"data": [1.0]}, {"latent": [[1.0]], "severity": [0.5]}, 0.01)
ANSWER = {"latent": [[1.0]], "severity": [0.5], "tail_probability": [0.4], "score": [2.0]}


def answering(severity: float) -> Callable[[bytes], tuple[int, Any]]:
    return lambda body: (200, {**ANSWER, "severity": [severity]})


SOUND = answering(0.5)


@pytest.fixture
def fake(short_folder: Path) -> Iterator[FakeManagement]:
    """A server of version 1.0, to which 2.0 may come."""
    versions = {"1.0": FakeVersion("waves-1.0.mar", 2, answers=SOUND)}
    coming = {"2.0": FakeVersion("", polls=2, answers=SOUND)}
    with fake_management(
        short_folder / "f", versions=versions, default="1.0", coming=coming
    ) as running:
        yield running


class Rolled:
    """A rollout of version 2.0."""

    def __init__(self, fake: FakeManagement, folder: Path, engine: Engine) -> None:
        self.text = ""
        self.archive = fake_archive(folder / "built", "2.0")
        self._candidate = Candidate(self.archive, engine.card, GOLDEN, "it is sound")
        self._servers = Servers(fake.socket, patience=10)

    def run(self, options: RolloutOptions = OPTIONS) -> None:
        rollout(self._servers, lambda: self._candidate, options, Steps(self._write))

    def _write(self, text: str) -> None:
        self.text += text

    @property
    def steps(self) -> list[str]:
        """The first words of the lines."""
        return [line.split()[0] for line in self.text.splitlines()]


@pytest.fixture
def rolled(fake: FakeManagement, tmp_path: Path, engine: Engine) -> Rolled:
    return Rolled(fake, tmp_path, engine)


def assert_as_before(fake: FakeManagement) -> None:
    assert (list(fake.versions), fake.default, fake.shares) == (["1.0"], "1.0", {})
    assert list(fake.store.iterdir()) == []


def test_a_rollout_replaces_the_default(fake: FakeManagement, rolled: Rolled) -> None:
    rolled.run()
    assert fake.changes == [
        "POST /models?url=waves-2.0.mar&initial_workers=2&synchronous=false",
        "PUT /models/waves/2.0/set-default",
        "DELETE /models/waves/1.0",
    ]
    assert rolled.steps == [
        *("verify", "copy", "register", "ready", "golden", "default", "watch", "retire")
    ]
    assert (list(fake.versions), fake.default) == (["2.0"], "2.0")
    copied = fake.store / "waves-2.0.mar"
    assert copied.read_bytes() == rolled.archive.path.read_bytes()
    assert copied.stat().st_mode & 0o777 == 0o644


def test_the_old_version_can_be_kept(fake: FakeManagement, rolled: Rolled) -> None:
    rolled.run(replace(OPTIONS, keep=True, workers=3))
    assert (list(fake.versions), fake.default) == (["1.0", "2.0"], "2.0")
    assert fake.versions["2.0"].workers == 3


def test_a_first_version_needs_no_switch(fake: FakeManagement, rolled: Rolled) -> None:
    fake.versions, fake.default = {}, ""
    rolled.run()
    assert fake.changes == ["POST /models?url=waves-2.0.mar&initial_workers=1&synchronous=false"]
    assert fake.default == "2.0"


def test_shares_come_before_the_switch(fake: FakeManagement, rolled: Rolled) -> None:
    rolled.run(replace(OPTIONS, shadow=0.5, canary=0.1))
    assert fake.changes[1:-1] == [
        "PUT /models/waves/2.0/shadow?share=0.5",
        "PUT /models/waves/2.0/shadow?share=0",
        "PUT /models/waves/2.0/canary?share=0.1",
        "PUT /models/waves/2.0/canary?share=0",
        "PUT /models/waves/2.0/set-default",
    ]


def test_what_failed_to_verify_never_reaches_the_server(
    fake: FakeManagement, rolled: Rolled
) -> None:
    def check() -> Candidate:
        raise FieldError("archive", "is damaged")

    with pytest.raises(FieldError, match="is damaged"):
        rollout(Servers(fake.socket), check, OPTIONS, Steps(rolled._write))
    assert fake.changes == [] and rolled.steps == ["verify"]


@pytest.mark.parametrize("is_taken_away", [False, True])
@pytest.mark.parametrize("is_registered", [False, True])
def test_a_version_whose_workers_die_is_taken_back(
    fake: FakeManagement, rolled: Rolled, is_registered: bool, is_taken_away: bool
) -> None:
    coming = replace(fake.coming["2.0"], polls=-1, workers=0)
    (fake.versions if is_registered else fake.coming)["2.0"] = coming
    fake.deaths = [("2.0", "OSError: of an earlier attempt")]

    def die(method: str, path: str) -> None:
        if (method, path) == ("GET", "/models/waves/all") and coming.workers:
            fake.deaths.append(("2.0", "FieldError: no weights"))
            if is_taken_away:
                fake.versions.pop("2.0", None)

    fake.on = die
    with pytest.raises(FieldError, match=r"^ready: it does not load: FieldError: no weights$"):
        rolled.run()
    if is_registered and not is_taken_away:
        assert fake.versions.pop("2.0").workers == 0
    assert_as_before(fake)


def test_deaths_before_the_workers_were_asked_for_and_of_others_do_not_count(
    fake: FakeManagement, rolled: Rolled
) -> None:
    fake.deaths = [("2.0", "OSError: of an earlier attempt")]

    def die(method: str, path: str) -> None:
        if path == "/models/waves/all":
            fake.deaths.append(("1.0", "MemoryError"))

    fake.on = die
    rolled.run()
    assert fake.default == "2.0"


def test_a_server_that_does_not_tell_of_deaths_is_left_as_it_is(
    fake: FakeManagement, rolled: Rolled
) -> None:
    answer = fake.answer

    def older(method: str, target: str, body: bytes) -> tuple[int, Any]:
        known = not target.endswith("failure")
        return answer(method, target, body) if known else (404, {"message": "no such path"})

    fake.answer = older
    with pytest.raises(FieldError, match=r"^server: is not an rvae serve of this version$"):
        rolled.run()
    assert fake.changes == [] and rolled.steps == ["verify", "undo"]
    assert_as_before(fake)


def test_a_version_that_is_not_ready_in_time_is_taken_back(
    fake: FakeManagement, rolled: Rolled
) -> None:
    fake.coming["2.0"].polls = -1
    with pytest.raises(FieldError, match=r"ready: 0 of 2 workers in 0\.1 s"):
        rolled.run(replace(OPTIONS, timeout=0.1))
    assert_as_before(fake)


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        (answering(0.9), "the severity of its example is off by 0.4"),
        (lambda body: (500, {"message": "no"}), "golden: the server answers 500"),
    ],
)
def test_a_version_that_answers_otherwise_is_taken_back(
    fake: FakeManagement, rolled: Rolled, answers: Callable[[bytes], tuple[int, Any]], said: str
) -> None:
    fake.coming["2.0"].answers = answers
    with pytest.raises(FieldError, match=said):
        rolled.run()
    assert_as_before(fake)


def test_a_version_that_is_too_far_from_the_old_one_is_taken_back(
    fake: FakeManagement, rolled: Rolled, tmp_path: Path
) -> None:
    traffic = tmp_path / "traffic.jsonl"
    traffic.write_text('{"path": "/predictions/waves", "headers": {}, "body": "e30="}\n' * 8)
    far = {**ANSWER, "tail_probability": [0.01], "is_anomaly": [True]}
    fake.coming["2.0"].answers = lambda body: (200, far)
    options = replace(OPTIONS, replay=traffic)
    with pytest.raises(FieldError, match=r"the scores shift by 1\.00, .* are flagged in place of"):
        rolled.run(options)
    assert_as_before(fake)
    rolled.run(replace(options, bounds=Bounds(shift=1, alerts=1, latency=100)))
    assert fake.default == "2.0"


@pytest.mark.parametrize("kind", ["canary", "watch"])
def test_errors_of_clients_bring_the_old_version_back(
    fake: FakeManagement, rolled: Rolled, kind: str
) -> None:
    def fail(method: str, path: str) -> None:
        if (kind == "canary" and path.endswith("canary")) or path.endswith("2.0/set-default"):
            fake.metrics = {("2.0", 200): 95, ("2.0", 500): 5}

    fake.on = fail
    options = replace(OPTIONS, canary=0.1 if kind == "canary" else 0.0, seconds=60, watch=60)
    with pytest.raises(FieldError, match="5 of 100 answers are errors"):
        rolled.run(options)
    assert_as_before(fake)
    assert ("PUT /models/waves/1.0/set-default" in fake.changes) == (kind == "watch")


def test_a_version_that_cannot_be_taken_back_keeps_its_archive(
    fake: FakeManagement, rolled: Rolled
) -> None:
    def fail(method: str, path: str) -> None:
        if path.endswith("2.0/set-default"):
            fake.metrics = {("2.0", 500): 5}
        fake.unwilling = path.endswith("1.0/set-default")

    fake.on = fail
    with pytest.raises(FieldError, match="5 of 5 answers are errors"):
        rolled.run(replace(OPTIONS, watch=60))
    assert (list(fake.versions), fake.default) == (["1.0", "2.0"], "2.0")
    assert (fake.store / "waves-2.0.mar").exists()
    assert rolled.text.count("not undone") == 2 and "no more in" not in rolled.text


@pytest.mark.parametrize("signal_", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    "step", ["POST /models", "GET /models/waves/all", "PUT /models/waves/2.0/set-default"]
)
def test_an_interruption_takes_everything_back(
    fake: FakeManagement, rolled: Rolled, step: str, signal_: signal.Signals
) -> None:
    from rvae.serving.versions.steps import interruptible

    def interrupt(method: str, path: str) -> None:
        if f"{method} {path}" == step and "register" in rolled.text:
            fake.on = lambda method, path: None
            os.kill(os.getpid(), signal_)

    fake.on = interrupt
    with pytest.raises(KeyboardInterrupt), interruptible():
        rolled.run()
    assert "interrupted" in rolled.text
    assert_as_before(fake)


def test_a_server_that_is_replaced_meanwhile_does_not_matter(
    fake: FakeManagement, rolled: Rolled
) -> None:
    fake.busy = 1

    def be_busy(method: str, path: str) -> None:
        if method != "GET" and not fake.unheard:
            fake.busy, fake.unheard = 1, True
        else:
            fake.unheard = False

    fake.on = be_busy
    rolled.run()
    assert (list(fake.versions), fake.default) == (["2.0"], "2.0")


def test_a_rollout_that_was_cut_off_before_the_switch_is_taken_up(
    fake: FakeManagement, rolled: Rolled
) -> None:
    fake.versions["2.0"] = replace(fake.coming["2.0"], file="waves-2.0.mar")
    rolled.run()
    assert not any(change.startswith("POST") for change in fake.changes)
    assert (list(fake.versions), fake.default) == (["2.0"], "2.0")


def test_a_rollout_that_was_cut_off_after_the_switch_is_ended(
    fake: FakeManagement, rolled: Rolled
) -> None:
    fake.versions["2.0"] = replace(fake.coming["2.0"], file="waves-2.0.mar")
    fake.default, fake.earlier = "2.0", ["1.0"]
    rolled.run()
    assert fake.changes == ["DELETE /models/waves/1.0"]


def test_what_was_registered_before_stays_if_the_rollout_fails(
    fake: FakeManagement, rolled: Rolled
) -> None:
    fake.versions["2.0"] = replace(fake.coming["2.0"], file="waves-2.0.mar", answers=answering(9))
    with pytest.raises(FieldError):
        rolled.run()
    assert (list(fake.versions), fake.default) == (["1.0", "2.0"], "1.0")


def test_a_failure_to_retire_says_what_is_served(fake: FakeManagement, rolled: Rolled) -> None:
    def refuse(method: str, path: str) -> None:
        if method == "DELETE":
            fake.busy, fake.unheard = 1000, False

    fake.on = refuse
    servers = Servers(fake.socket, patience=0.1)
    candidate = rolled._candidate
    with pytest.raises(FieldError, match=r"2\.0 is the default of waves; 1\.0 may be served"):
        rollout(servers, lambda: candidate, OPTIONS, Steps(rolled._write))
    assert fake.default == "2.0" and "undo" not in rolled.steps


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"canary": 1.5}, "canary"),
        ({"watch": -1}, "watch"),
        ({"workers": 0}, "workers"),
        ({"replay": Path("nothing.jsonl")}, "replay"),
    ],
)
def test_options_are_checked(options: dict[str, Any], field: str) -> None:
    with pytest.raises(FieldError, match=rf"^{field}: "):
        RolloutOptions(**options)


def test_every_line_ends_with_its_time(fake: FakeManagement, rolled: Rolled) -> None:
    rolled.run()
    assert all(re.search(r"\(\d+\.\d s\)$", line) for line in rolled.text.splitlines())
