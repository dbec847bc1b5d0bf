from dataclasses import replace

import numpy as np
import orjson
import pytest

from rvae.client.bodies import fit_together, most_series, series_request, windows_request
from rvae.client.pieces import Piece
from rvae.client.transport import Outgoing
from rvae.data.series import Series
from rvae.errors import FieldError
from rvae.serving.contract.messages import Request
from rvae.serving.contract.pipeline import decode, validate
from rvae.serving.contract.query import Query
from tests.client.conftest import Served
from tests.support.untrained import KINDS

START = np.datetime64("2026-01-01", "us")


def series_for(kind: Served, steps: int = 20, name: str = "a") -> Series:
    """A series that fits a model, with a missing value and, of categories, unknown ones."""
    card, random = kind.card, np.random.default_rng(0)
    low, high = card.scaler.bounds
    values = np.clip(random.normal(20, 2, (steps, len(card.channels))), low, high)
    for i, size in enumerate(card.scaler.categories):
        if size:
            values[:, i] = random.integers(0, size + 1, steps)
    values[3, 0] = np.nan
    times = START + np.arange(steps) * np.timedelta64(1, "h")
    classes = np.ones(steps, np.int64) if card.conditional else None
    return Series(values, name, None, times if card.model.time.calendar else None, classes)


def whole(kind: Served, series: Series) -> Piece:
    return Piece.whole(series, kind.card.window, 1)


def received(kind: Served, sent: Outgoing) -> Query:
    """What the server makes of a request."""
    headers = sent.headers
    request = Request(
        sent.body,
        content_type=headers["Content-Type"],
        accept=headers["Accept"],
        options=headers["Rvae-Options"],
    )
    return validate(decode(request), kind.card, explain=False)


def test_the_server_reads_what_was_meant(kind: Served) -> None:
    known, series = kind.client.description, series_for(kind)
    sent = series_request(known, [whole(kind, series)], {"output": ["score"], "stride": 3})
    assert sent.path == "/predictions/any/1.0"
    query = received(kind, sent)
    (read,) = query.inputs.series
    np.testing.assert_array_equal(read.values, series.values)
    if kind.card.conditional:
        np.testing.assert_array_equal(read.class_codes, series.class_codes)
    if kind.card.model.time.calendar:
        np.testing.assert_array_equal(read.clock(), series.clock())
    assert (query.stride, [one.name for one in query.outputs]) == (3, ["score"])


def test_classes_that_change_are_sent_for_each_step(kind: Served) -> None:
    if not kind.card.conditional:
        return
    classes = np.arange(20) % 2
    series = replace(series_for(kind), classes=classes)
    known = kind.client.description
    sent = series_request(known, [whole(kind, series)], {})
    np.testing.assert_array_equal(received(kind, sent).inputs.series[0].class_codes, classes)
    assert not fit_together(known, [whole(kind, series)] * 2)
    with pytest.raises(FieldError, match="label: is missing or unknown"):
        unknown = replace(series, classes=classes - 1)
        series_request(known, [whole(kind, unknown)], {})


def test_several_series_share_a_body_where_it_has_room_for_all_of_them(kind: Served) -> None:
    known = kind.client.description
    group = [whole(kind, series_for(kind, 20, name)) for name in "abc"]
    if kind.card.model.time.calendar:
        assert most_series(known) == 1
        return
    assert most_series(known) >= 400 and fit_together(known, group)
    assert not fit_together(known, [*group, whole(kind, series_for(kind, 21))])
    query = received(kind, series_request(known, group, {"output": ["latent"]}))
    assert len(query.inputs.series) == 3 and query.inputs.many
    labels = series_request(known, group * (most_series(known) // 3), {}).headers["Rvae-Options"]
    assert len(labels) < 5000


def test_classes_of_any_script_fit_into_a_header(kind: Served) -> None:
    if not kind.card.conditional:
        return
    classes = tuple("正常" * 9 + str(i) for i in range(len(kind.card.vocabulary.classes)))
    vocabulary = replace(kind.card.vocabulary, classes=classes)
    known = replace(kind.client.description, vocabulary=vocabulary)
    group = [whole(kind, series_for(kind))] * min(3, most_series(known))
    for one in (group, group[:1] * most_series(known)):
        header = series_request(known, one, {}).headers["Rvae-Options"]
        assert header.isascii() and len(header) < 5000
        labels = orjson.loads(header)["label"]
        assert set([labels] if isinstance(labels, str) else labels) == {classes[1]}


@pytest.mark.parametrize("kind", [KINDS["several"]], indirect=True)
def test_windows_are_sent_as_they_are(kind: Served) -> None:
    windows = np.full((3, 8, 2), 20, np.float32)
    sent = windows_request(kind.client.description, windows[:, ::-1], {"output": ["score"]})
    assert orjson.loads(sent.headers["Rvae-Options"]) == {"output": ["score"]}
    query = received(kind, sent)
    assert len(query.inputs.series) == 3 and not query.inputs.wide
