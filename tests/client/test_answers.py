import copy
import io
from collections.abc import Callable
from typing import Any

import numpy as np
import orjson
import pytest

from rvae.client.answers import Fields, read_array, read_fields
from rvae.client.bodies import series_request
from rvae.client.bulk import Bulk
from rvae.client.errors import AnswerError
from rvae.client.pieces import Piece
from rvae.client.transport import Answer, Call
from rvae.data.series import Series
from rvae.inference.engine import Engine
from rvae.serving.contract.outputs import OUTPUTS

EVERY = tuple(name for name in OUTPUTS if name != "contributions")


@pytest.fixture(scope="module")
def group(bumpy: np.ndarray) -> list[Piece]:
    return [Piece.whole(Series(bumpy[at : at + 100, None], str(at)), 32, 16) for at in (480, 290)]


@pytest.fixture
def content(bulk: Bulk, group: list[Piece]) -> dict[str, Any]:
    """A right answer about two series."""
    request = series_request(bulk.description, group, {"output": EVERY, "stride": 16})
    found: dict[str, Any] = orjson.loads(bulk.transport.send(request, 20, Call()).body)
    return found


def read(bulk: Bulk, group: list[Piece], content: Any) -> list[Fields]:
    return read_fields(Answer(200, {}, orjson.dumps(content)), bulk.description, group, EVERY)


def test_every_field_is_as_the_model_has_it(
    bulk: Bulk, group: list[Piece], content: dict[str, Any], engine: Engine
) -> None:
    analyses = engine.analyse([piece.series for piece in group], 16)
    for fields, analysis in zip(read(bulk, group, content), analyses, strict=True):
        np.testing.assert_array_equal(fields["score"], analysis.score)
        np.testing.assert_array_equal(fields["latent"], analysis.latent)
        assert fields["latent"].dtype == np.float32 and fields["is_anomaly"].dtype == bool
        np.testing.assert_array_equal(fields["reconstruction"][0], analysis.reconstruction[:, 0])
        np.testing.assert_array_equal(fields["channel_scores"], analysis.channel_scores)
        assert fields["threshold"] == engine.card.calibration.threshold()
        expected = analysis.events(fields["threshold"], engine.card.calibration, 16)
        assert fields["events"] == expected and len(expected) > 0


def spoil(path: str, change: Callable[[Any], Any]) -> Callable[[Any], None]:
    """A change of a part of an answer."""

    def apply(content: Any) -> None:
        *parents, last = path.split(".")
        for name in parents:
            content = content[int(name) if name.isdigit() else name]
        content[last] = change(content[last])

    return apply


@pytest.mark.parametrize(
    "change",
    [
        spoil("version", lambda _: "2.0"),
        spoil("predictions", lambda found: found[:1]),
        spoil("predictions", lambda found: [*found, found[0]]),
        spoil("predictions", lambda _: None),
        spoil("predictions.0.window.starts", lambda starts: starts[:-1]),
        spoil("predictions.0.window.starts", lambda starts: [1, *starts[1:]]),
        spoil("predictions.0.window.stride", lambda _: 15),
        spoil("predictions.1.score", lambda score: score[:-1]),
        spoil("predictions.1.score", lambda score: [*score, 0.0]),
        spoil("predictions.1.score", lambda _: 0.0),
        spoil("predictions.1.latent", lambda latent: latent[:-1]),
        spoil("predictions.1.reconstruction", lambda steps: steps[1:]),
        spoil("predictions.1.reconstruction", lambda steps: [[1.0, 2.0], *steps[1:]]),
        spoil("predictions.1.point_scores", lambda _: "nothing"),
        spoil("predictions.0.events", lambda _: [{}]),
        lambda content: content["predictions"][0].pop("severity"),
        lambda content: content.pop("version"),
    ],
)
def test_an_answer_to_something_else_is_refused(
    bulk: Bulk, group: list[Piece], content: dict[str, Any], change: Callable[[Any], None]
) -> None:
    spoiled = copy.deepcopy(content)
    change(spoiled)
    with pytest.raises(AnswerError, match="server: sent"):
        read(bulk, group, spoiled)


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b'{"predictions": ', b"<html></html>"])
def test_what_is_no_answer_is_refused(bulk: Bulk, group: list[Piece], body: bytes) -> None:
    with pytest.raises(AnswerError, match="server: sent"):
        read_fields(Answer(200, {}, body), bulk.description, group, EVERY)


def test_an_array_has_the_shape_that_it_should_have() -> None:
    sink = io.BytesIO()
    np.save(sink, np.ones((3, 1)))
    body = sink.getvalue()
    np.testing.assert_array_equal(read_array(Answer(200, {}, body), (3, None)), np.ones((3, 1)))
    for wrong in (body[:-1], b"", b"{}"):
        with pytest.raises(AnswerError, match="sent no such array"):
            read_array(Answer(200, {}, wrong), (3, 1))
    for shape in ((2, 1), (3, 2), (3,), (3, 1, 1)):
        with pytest.raises(AnswerError, match="has the shape"):
            read_array(Answer(200, {}, body), shape)
