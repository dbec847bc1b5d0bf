import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from polars.testing import assert_frame_equal

import rvae
from rvae.client import Client, RefusedError, UnavailableError
from rvae.client import client as client_module
from rvae.errors import FieldError
from rvae.inference.artifact import Artifact
from rvae.inference.engine import Engine
from tests.client.conftest import Served
from tests.support.faulty_server import FaultyServer, drip, right, status


@pytest.fixture(scope="module")
def model(engine: Engine, checkpoint: object) -> rvae.Model:
    """The same model in this process."""
    return rvae.Model(Artifact.load(str(checkpoint)))


@pytest.fixture
def frame(bumpy: np.ndarray) -> pd.DataFrame:
    index = pd.date_range("2026-01-01", periods=len(bumpy), freq="min")
    return pd.DataFrame({"height": bumpy}, index=index)


def test_frames_of_pandas_keep_their_index(
    client: Client, model: rvae.Model, frame: pd.DataFrame
) -> None:
    for name, options in (
        ("score", {}),
        ("score", {"by": "window", "stride": 9}),
        ("events", {"alarms": "1 per 100 steps"}),
        ("encode", {"stride": 7}),
        ("reconstruct", {"stride": 7}),
    ):
        found = getattr(client, name)(frame, **options)
        pd.testing.assert_frame_equal(found, getattr(model, name)(frame, **options), rtol=1e-4)


def test_frames_of_polars_arrow_and_arrays(
    client: Client, model: rvae.Model, bumpy: np.ndarray
) -> None:
    found = client.score(pl.DataFrame({"height": bumpy}))
    expected = model.score(pl.DataFrame({"height": bumpy}))
    assert_frame_equal(found, expected, rel_tol=1e-4)
    for data in (pa.table({"height": bumpy}), bumpy, bumpy[:, None]):
        found, expected = client.score(data), model.score(data)
        assert isinstance(found, pa.Table) and found.schema == expected.schema
        np.testing.assert_allclose(found["score"], expected["score"], rtol=1e-4)


def test_windows_as_arrays(client: Client, engine: Engine, fresh: list[np.ndarray]) -> None:
    windows = np.stack(fresh * 20)
    analyses = engine.analyse(list(windows))
    expected = [one.score[0] for one in analyses]
    np.testing.assert_allclose(client.score_windows(windows), expected, rtol=1e-5)
    np.testing.assert_allclose(client.score_windows(windows[..., 0]), expected, rtol=1e-5)
    narrow = client.score_windows(windows.astype(np.float32))
    assert narrow.dtype == np.float32
    latents = client.encode_windows(windows)
    assert latents.shape == (1200, 4)
    np.testing.assert_allclose(latents, [one.latent[0] for one in analyses], rtol=1e-4, atol=1e-5)
    for wrong in (windows[:, :31], windows[0], np.zeros((2, 32, 2)), windows[:0]):
        with pytest.raises(FieldError, match=r"windows: expected \(S, 32, 1\)"):
            client.score_windows(wrong)


def test_generated_windows_are_those_of_the_model(kind: Served) -> None:
    classes = kind.card.vocabulary.classes
    label = classes[0] if kind.card.conditional else None
    drawn = kind.client.sample(3, label, seed=7)
    np.testing.assert_allclose(drawn, kind.engine.sample(3, label, 7), rtol=1e-5)
    latent = np.ones((2, kind.card.model.latent))
    decoded = kind.client.decode(latent, label)
    np.testing.assert_allclose(decoded, kind.engine.decode(latent, label), rtol=1e-5)


def test_everything_else_can_be_asked_for(client: Client, fresh: list[np.ndarray]) -> None:
    answer = client.ask({"data": fresh[0], "output": ["contributions"]})
    assert np.shape(answer["contributions"]) == (1, 32, 1)
    with pytest.raises(RefusedError) as raised:
        client.ask({"data": [[1.0], ["high"]] * 16})
    assert (raised.value.status, raised.value.field) == (422, "data[1][0]")


def test_errors_of_data_and_options_name_them(client: Client, frame: pd.DataFrame) -> None:
    with pytest.raises(FieldError, match="length"):
        client.score(frame.rename(columns={"height": "length"}))
    with pytest.raises(FieldError, match="height: infinite at step 5 of series 0"):
        client.score(np.where(np.arange(100) == 5, np.inf, 20.0))
    with pytest.raises(FieldError, match="data: series 0 has 5 points, the model needs 32"):
        client.score(np.ones(5))
    with pytest.raises(RefusedError, match="quantile: "):
        client.score(frame, quantile=0.99999)
    with pytest.raises(FieldError, match="by: must be point or window"):
        client.score(frame, by="day")  # type: ignore[arg-type]


def test_models_and_servers_that_are_not_there(faulty: FaultyServer) -> None:
    with Client("http://127.0.0.1:1", timeout=0.5) as nobody, pytest.raises(UnavailableError):
        nobody.score(np.ones(99))
    faulty.faults = []
    for arguments in (
        {"url": "localhost:8080"},
        {"url": "http://"},
        {"timeout": 0},
        {"connections": 0},
    ):
        with pytest.raises(FieldError, match=next(iter(arguments))):
            Client(**{"url": faulty.url} | arguments)


def test_a_call_ends_at_its_deadline(faulty: FaultyServer, bumpy: np.ndarray) -> None:
    faulty.faults = [drip] * 100
    began = time.monotonic()
    with Client(faulty.url, "waves", deadline=1.0) as client, pytest.raises(UnavailableError):
        client.score(bumpy)
    assert time.monotonic() - began < 20


def test_one_version_answers_a_call_and_the_default_is_looked_up_again(
    client: Client, faulty: FaultyServer, bumpy: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.score(bumpy)
    client.score(bumpy[:50])
    assert faulty.asked[0] == "/predictions/waves"
    assert set(faulty.asked[1:]) == {"/predictions/waves/1.0"} and len(faulty.asked) > 8
    monkeypatch.setattr(client_module, "DESCRIPTION_SECONDS", 0.0)
    client.score(bumpy[:50])
    assert faulty.asked[-2:] == ["/predictions/waves", "/predictions/waves/1.0"]


GONE = status(410, {}, b'{"field": "version", "message": "1.0 is no longer served"}')


def test_a_call_begins_again_when_its_version_is_retired(
    client: Client, faulty: FaultyServer, bumpy: np.ndarray
) -> None:
    expected = client.score(bumpy)
    faulty.asked, faulty.faults = [], [right, right, right, GONE]
    assert client.score(bumpy).equals(expected)
    assert "/predictions/waves" in faulty.asked[4:]  # which version is it now?


def test_versions_are_not_followed_for_ever(
    client: Client, faulty: FaultyServer, bumpy: np.ndarray
) -> None:
    faulty.faults = [GONE] * 5
    with pytest.raises(RefusedError, match=r"version: 1\.0 is no longer served"):
        client.score(bumpy[:50])
    assert len(faulty.asked) == 6


def test_a_version_that_was_asked_for_by_its_name_is_not_replaced(
    faulty: FaultyServer, bumpy: np.ndarray
) -> None:
    faulty.faults = [GONE]
    with (
        Client(faulty.url, "waves", "1.0") as client,
        pytest.raises(RefusedError, match=r"version: 1\.0 is no longer served"),
    ):
        client.score(bumpy[:50])
    assert len(faulty.asked) == 2


def test_threads_do_not_wait_for_each_other_in_vain() -> None:
    began = time.monotonic()
    with Client("http://127.0.0.1:1", timeout=0.5) as nobody, ThreadPoolExecutor(32) as pool:
        for failed in [pool.submit(nobody.score, np.ones(99)) for _ in range(32)]:
            assert isinstance(failed.exception(), UnavailableError)
    assert time.monotonic() - began < 8


def test_threads_share_a_client(client: Client, bumpy: np.ndarray) -> None:
    parts = [bumpy[at : at + 200] for at in range(0, 800, 100)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(client.score, parts))
    for one, part in zip(found, parts, strict=True):
        assert one.equals(client.score(part))


def test_progress_is_shown_if_asked_for(
    faulty: FaultyServer, bumpy: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    for progress in (False, True):
        with Client(faulty.url, "waves", progress=progress) as client:
            client.score(bumpy)
        shown = capsys.readouterr().err
        assert ("1472/1472" in shown) is progress and bool(shown) is progress


def test_what_a_proxy_checks_is_sent(faulty: FaultyServer, bumpy: np.ndarray) -> None:
    with Client(faulty.url, "waves", headers={"Authorization": "Bearer 7"}) as client:
        client.score(bumpy[:50])
    assert faulty.keys == ["Bearer 7"] * 2
