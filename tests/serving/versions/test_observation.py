"""What the metrics tell of the answers of a version."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from rvae.errors import FieldError
from rvae.serving.versions.bounds import Bounds
from rvae.serving.versions.management import Management
from rvae.serving.versions.observation import Counts, Observation, counts_of
from tests.support.fake_management import FakeManagement, fake_management

METRICS = """\
# TYPE rvae_requests counter
rvae_requests_total{model="waves",version="2.0",code="200"} 7
rvae_requests_total{model="waves",version="2.0",code="422"} 2
rvae_requests_total{model="waves",version="2.0",code="503"} 1
rvae_requests_total{model="waves",version="1.0",code="200"} 50
rvae_requests_total{model="other",version="2.0",code="500"} 50
# TYPE rvae_request_seconds histogram
rvae_request_seconds_bucket{model="waves",version="2.0",le="+Inf"} 10
rvae_request_seconds_count{model="waves",version="2.0"} 10
rvae_request_seconds_sum{model="waves",version="2.0"} 0.5
"""


@pytest.fixture
def fake(short_folder: Path) -> Iterator[FakeManagement]:
    with fake_management(short_folder / "f") as running:
        yield running


def test_a_version_is_counted_by_itself() -> None:
    counts = counts_of(METRICS, "waves", "2.0")
    assert counts == Counts(10, 1, 0.5) and counts.failing == 0.1
    assert str(counts) == "10 answers, 1 errors, 50.0 ms each"
    assert counts_of(METRICS, "waves", "3.0") == Counts()
    assert str(Counts()) == "no answers"


def test_what_was_before_does_not_count(fake: FakeManagement) -> None:
    fake.metrics = {("2.0", 500): 9, ("1.0", 200): 9}
    observation = Observation([Management(fake.socket)], "waves", ("2.0", "1.0"))
    fake.metrics = {("2.0", 500): 9, ("2.0", 200): 3, ("1.0", 200): 10}
    said = observation.last(0, Bounds())
    assert said == "2.0: 3 answers, 0 errors, 0.0 ms each; 1.0: 1 answers, 0 errors, 0.0 ms each"


@pytest.mark.parametrize(
    ("bounds", "old_errors", "fails"),
    [(Bounds(), 0, True), (Bounds(errors=0.5), 0, False), (Bounds(), 6, False)],
)
def test_errors_are_an_end_unless_the_old_version_has_as_many(
    fake: FakeManagement, bounds: Bounds, old_errors: int, fails: bool
) -> None:
    observation = Observation([Management(fake.socket)], "waves", ("2.0", "1.0"))
    fake.metrics = {("2.0", 500): 1, ("2.0", 200): 1, ("1.0", 502): old_errors, ("1.0", 200): 4}
    if not fails:
        assert "1 errors" in observation.last(0, bounds)
        return
    with pytest.raises(FieldError, match="1 of 2 answers are errors"):
        observation.last(60, bounds)


def test_a_first_version_is_seen_alone(fake: FakeManagement) -> None:
    observation = Observation([Management(fake.socket)], "waves", ("2.0",))
    assert observation.last(0, Bounds()) == "2.0: no answers"


def test_servers_are_seen_together(fake: FakeManagement, short_folder: Path) -> None:
    with fake_management(short_folder / "g") as other:
        managements = [Management(one.socket) for one in (fake, other)]
        observation = Observation(managements, "waves", ("2.0", "1.0", "0.9"))
        fake.metrics = {("2.0", 200): 98, ("1.0", 200): 5}
        other.metrics = {("2.0", 500): 2, ("0.9", 200): 4}
        said = observation.last(0, Bounds(errors=0.02))
        assert said.startswith("2.0: 100 answers, 2 errors") and "0.9: 4 answers" in said
        with pytest.raises(FieldError, match="2 of 100 answers are errors"):
            observation.last(60, Bounds(errors=0.019))
