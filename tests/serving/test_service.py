import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rvae.data.series import Series
from rvae.data.window_dataset import Batch
from rvae.inference.analysis import Analysis
from rvae.inference.engine import Engine
from rvae.inference.runtimes.runtime import Run
from rvae.scoring.adaptive_threshold import AdaptiveThreshold
from rvae.serving.contract import pipeline
from rvae.serving.contract.formats.format import Content
from rvae.serving.contract.formats.json import JSON
from rvae.serving.contract.messages import Request
from rvae.serving.contract.outputs.score import SCORE
from rvae.serving.service import Limits, Service
from tests.support.networks import network_card, scored, with_graphs
from tests.support.untrained import KINDS, MODE, untrained_card, untrained_engine


@pytest.fixture(scope="module")
def service(engine: Engine) -> Service:
    return Service(engine, "waves", "1.0", Limits())


def ask(service: Service, explain: bool = False, **fields: Any) -> tuple[int, Any]:
    (reply,) = service.answer([Request(json.dumps(fields).encode(), explain)])
    return reply.status, json.loads(reply.body)


def test_an_answer_says_what_the_engine_says(
    service: Service, engine: Engine, fresh: list[np.ndarray]
) -> None:
    values = fresh[0]
    status, answer = ask(service, data=values[:, 0].tolist())
    (analysis,) = engine.analyse([values])
    calibration = engine.card.calibration
    assert status == 200
    assert answer["model"] == "waves" and answer["version"] == "1.0"
    assert answer["window"] == {"length": 32, "stride": 1, "starts": [0]}
    np.testing.assert_allclose(answer["latent"], analysis.latent, rtol=1e-6)
    np.testing.assert_allclose(answer["score"], analysis.score, rtol=1e-12)
    np.testing.assert_allclose(
        answer["tail_probability"], calibration.tail_probability(analysis.score)
    )
    assert answer["threshold"] == calibration.threshold()
    assert answer["is_anomaly"] == [bool(analysis.score[0] > calibration.threshold())]
    np.testing.assert_allclose(answer["severity"], calibration.severity(analysis.score))
    scored = {field.name for field in SCORE.fields}
    assert set(answer) == {"model", "version", "window", "latent"} | scored


def test_point_wise_things_have_the_shape_of_the_request(
    service: Service, fresh: list[np.ndarray]
) -> None:
    series = np.concatenate(fresh[:2])
    output = ["reconstruction", "point_scores", "contributions"]
    _, flat = ask(service, data=series[:, 0].tolist(), output=output, stride=16)
    _, nested = ask(service, data=series.tolist(), output=output, stride=16)
    assert np.shape(flat["reconstruction"]) == (64,)
    assert np.shape(nested["reconstruction"]) == (64, 1)
    assert np.shape(flat["point_scores"]) == np.shape(nested["point_scores"]) == (64,)
    assert np.shape(flat["contributions"]) == (3, 32)
    assert np.shape(nested["contributions"]) == (3, 32, 1)


def test_several_series_are_answered_in_order(
    service: Service, fresh: list[np.ndarray], anomalous: list[np.ndarray]
) -> None:
    given = [fresh[0], anomalous[0], np.concatenate(fresh[:2])]
    _, answer = ask(service, instances=[g.tolist() for g in given], output=["score"])
    singles = [ask(service, data=g.tolist(), output=["score"])[1] for g in given]
    assert answer.keys() == {"model", "version", "predictions"}
    for one, single in zip(answer["predictions"], singles, strict=True):
        np.testing.assert_allclose(one["score"], single["score"], rtol=1e-4, atol=1e-5)
    assert answer["predictions"][1]["is_anomaly"] == [True]


def test_threshold_and_quantile_of_a_request(
    service: Service, engine: Engine, fresh: list[np.ndarray]
) -> None:
    data = fresh[0].tolist()
    _, plain = ask(service, data=data)
    _, lower = ask(service, data=data, quantile=0.1)
    assert lower["threshold"] == engine.card.calibration.threshold(0.1)
    assert lower["threshold"] < plain["threshold"]
    for threshold, flagged in ((-1e9, True), (1e9, False)):
        _, answer = ask(service, data=data, threshold=threshold)
        assert (answer["threshold"], answer["is_anomaly"]) == (threshold, [flagged])
    status, error = ask(service, data=data, quantile=0.9999)
    assert (status, error["field"]) == (422, "quantile")


def test_a_rate_of_alarms_is_the_threshold_of_a_request(
    service: Service, engine: Engine, fresh: list[np.ndarray]
) -> None:
    calibration, data = engine.card.calibration, np.concatenate(fresh[:3]).tolist()
    quantile = engine.card.quantile_of(None, "1 per 100 steps")
    assert quantile is not None and quantile < calibration.quantile
    _, answer = ask(service, data=data, alarms="1 per 100 steps", stride=16)
    assert answer["threshold"] == calibration.threshold_of_events(0.01)
    assert answer == ask(service, data=data, quantile=quantile, stride=16)[1]
    events: dict[str, Any] = {"data": data, "stride": 16, "output": ["events"]}
    more = ask(service, alarms="1 per 33 steps", **events)[1]["events"]
    assert (
        more
        == ask(service, threshold=calibration.threshold_of_events(1 / 33), **events)[1]["events"]
    )
    assert sum(one["end"] - one["start"] for one in more) > 0
    _, adaptive = ask(service, data=data, alarms="1 per 100 steps", stride=16, adapt=0.01)
    assert adaptive == ask(service, data=data, quantile=quantile, stride=16, adapt=0.01)[1]


@pytest.mark.parametrize(
    ("alarms", "said"),
    [
        ("1 per 2913 steps", "at least 1 event per 2,912 steps, the limit of 90 independent"),
        ("1 per 31 steps", "no more than 1 event per 32 steps can begin"),
        ("1 per week", "the training data has no times"),
        ("weekly", "expected a rate as"),
        ("1 per 999999999999 steps", "at least 1 event per 2,912 steps"),
    ],
)
def test_a_rate_that_cannot_be_promised_is_refused(
    service: Service, alarms: str, said: str
) -> None:
    """90 calibration windows of 32 steps, each a block of its own: 91 * 32 = 2912."""
    for fields in ({}, {"adapt": 0.01}, {"output": ["events"]}):
        status, error = ask(service, data=[20.0] * 32, alarms=alarms, **fields)
        assert (status, error["field"]) == (422, "alarms")
        assert said in error["message"]
    assert ask(service, data=[20.0] * 32, alarms="1 per 2912 steps")[0] == 200


def test_events_tell_where_and_what(service: Service, engine: Engine) -> None:
    values = 20 + 3 * np.sin(np.arange(400) * 2 * np.pi / 32)
    for bump in (slice(100, 106), slice(300, 306)):
        values[bump] = 40 - values[bump]
    data = values.tolist()
    (analysis,) = engine.analyse([values[:, None]])
    calibration = engine.card.calibration
    _, answer = ask(service, data=data, output=["events"])
    assert answer.keys() == {"model", "version", "window", "events"}
    assert len(answer["events"]) == 2
    for event, first in zip(answer["events"], (100, 300), strict=True):
        assert event.keys() == {
            *("start", "end", "peak", "score", "severity", "channels"),
            *("tail_probability", "persistent"),
        }
        assert abs(event["start"] - first) <= 3 and abs(event["end"] - first - 6) <= 3
        assert first <= event["peak"] < first + 6
        assert event["tail_probability"] == calibration.tail_probability(event["score"]) < 0.05
        assert event["persistent"] is False
        assert event["severity"] == calibration.severity(event["score"]) > 1
        score = analysis.channel_scores[event["peak"], 0]
        assert event["channels"] == [{"name": "height", "score": pytest.approx(score, 1e-4)}]
    (joined,) = ask(service, data=data, output=["events"], gap=300)[1]["events"]
    ends = (answer["events"][0]["start"], answer["events"][1]["end"])
    # Of one event the steps at its ends are compared with its largest error.
    assert joined["start"] == ends[0] and 300 < joined["end"] <= ends[1]
    # The request's own threshold and stride count.
    assert ask(service, data=data, output=["events"], threshold=1e9)[1]["events"] == []
    (whole,) = ask(service, data=data, output=["events"], threshold=-1e9)[1]["events"]
    assert whole["start"] <= 32 and whole["end"] >= 400 - 32


def test_a_lower_quantile_has_more_and_longer_events(
    service: Service, fresh: list[np.ndarray]
) -> None:
    fields: dict[str, Any] = {"data": np.concatenate(fresh).tolist(), "stride": 32, "gap": 0}
    counts, steps = [], []
    for quantile in (0.98, 0.9, 0.5):
        events = ask(service, output=["events"], quantile=quantile, **fields)[1]["events"]
        counts.append(len(events))
        steps.append(sum(event["end"] - event["start"] for event in events))
    assert 0 == counts[0] < counts[1] < counts[2]
    # Every other normal window scores above the median.
    assert steps[0] < steps[1] < steps[2] and 0.3 < steps[2] / (60 * 32) < 0.7


def test_events_a_stride_apart_are_one_unless_the_gap_is_less(service: Service) -> None:
    values = 20 + 3 * np.sin(np.arange(400) * 2 * np.pi / 32)
    for bump in (slice(165, 171), slice(229, 235)):
        values[bump] = 40 - values[bump]
    fields: dict[str, Any] = {"data": values.tolist(), "stride": 16, "output": ["events"]}
    for gap, count in (({}, 1), ({"gap": 16}, 1), ({"gap": 15}, 2)):
        assert len(ask(service, **(fields | gap))[1]["events"]) == count


def test_events_of_dated_series_have_times(service: Service) -> None:
    times = np.datetime64("2026-03-01", "s") + np.arange(40) * np.timedelta64(60, "s")
    stamps = [f"{time}+01:00" for time in times]
    fields: dict[str, Any] = {"output": ["events"], "threshold": -1e9, "timestamps": stamps}
    (event,) = ask(service, data=[20.0] * 40, **fields)[1]["events"]
    for name, step in (
        ("start", event["start"]),
        ("last", event["end"] - 1),
        ("peak", event["peak"]),
    ):
        assert np.datetime64(event[f"{name}_time"]) == times[step] - np.timedelta64(1, "h")


@pytest.mark.parametrize("how", [{}, {"threshold": 1.0}, {"adapt": 0.05}])
def test_what_is_said_of_many_series_is_what_is_said_of_each(
    service: Service, fresh: list[np.ndarray], anomalous: list[np.ndarray], how: dict[str, Any]
) -> None:
    lengths = (32, 100, 64)
    long = np.concatenate([fresh[0], *anomalous[:2], fresh[1]])[:, 0]
    many = [long[-length:].tolist() for length in lengths]
    fields = how | {"stride": 8, "output": ["score", "band", "events"]}
    _, answer = ask(service, instances=many, **fields)
    for series, found in zip(many, answer["predictions"], strict=True):
        _, alone = ask(service, data=series, **fields)
        assert set(alone) == {*found, "model", "version"}
        for name in ("window", "is_anomaly"):
            assert found[name] == alone[name]
        for name in ("score", "tail_probability", "severity", "threshold", "lower"):
            np.testing.assert_allclose(
                np.array(found[name], float), np.array(alone[name], float), rtol=1e-4
            )
        events = [
            [(event["start"], event["end"]) for event in of["events"]] for of in (found, alone)
        ]
        assert events[0] == events[1]


def test_a_threshold_may_follow_the_series(
    service: Service, engine: Engine, fresh: list[np.ndarray], anomalous: list[np.ndarray]
) -> None:
    data = np.concatenate([fresh[0], *anomalous[:10], fresh[1]])[:, 0].tolist()
    calibration = engine.card.calibration
    _, answer = ask(service, data=data, stride=8, adapt=0.05)
    scores = np.array(answer["score"])
    expected = AdaptiveThreshold(calibration, 0.05).follow(scores)
    assert answer["threshold"][0] == calibration.threshold()
    np.testing.assert_array_equal(answer["threshold"], expected)
    np.testing.assert_array_equal(
        answer["drift"], (expected - calibration.threshold()) / calibration.spread
    )
    assert answer["is_anomaly"] == (scores > expected).tolist()
    rare = np.array(answer["tail_probability"]) <= 1 - calibration.quantile
    assert rare.sum() > 0 and answer["is_anomaly"] == rare.tolist()
    _, still = ask(service, data=data, stride=8, adapt=0)
    assert still["threshold"] == [calibration.threshold()] * len(scores)
    _, lower = ask(service, data=data, stride=8, adapt=0, quantile=0.5)
    assert lower["threshold"] == [calibration.threshold(0.5)] * len(scores)
    _, higher = ask(service, data=data, stride=8, adapt=0.1, quantile=0.5)
    assert higher["threshold"][-1] > lower["threshold"][-1] and higher["drift"][-1] > 0
    status, error = ask(service, data=data, adapt=0.05, quantile=0.9999)
    assert (status, error["field"]) == (422, "quantile")
    status, error = ask(service, data=data, adapt=0.05, threshold=1)
    assert (status, error["field"]) == (422, "adapt")


def test_every_series_of_a_request_is_followed_from_its_beginning(
    service: Service, fresh: list[np.ndarray], anomalous: list[np.ndarray]
) -> None:
    series = np.concatenate([*anomalous[:5], *fresh[:2]]).tolist()
    _, answer = ask(service, instances=[series, series], stride=16, adapt=0.05)
    one, other = answer["predictions"]
    assert one["threshold"] == other["threshold"]


def test_what_was_not_observed_is_null(service: Service, fresh: list[np.ndarray]) -> None:
    series = [*fresh[0][:, 0].tolist(), *[None] * 32]
    _, answer = ask(service, data=series, stride=32, output=["score", "point_scores"])
    for name in ("score", "tail_probability", "severity"):
        assert answer[name][1] is None
    assert answer["is_anomaly"][1] is False
    assert answer["point_scores"][32:] == [None] * 32


def test_an_explanation_sums_to_the_score(service: Service, anomalous: list[np.ndarray]) -> None:
    _, answer = ask(service, explain=True, data=anomalous[0].tolist())
    np.testing.assert_allclose(np.sum(answer["contributions"]), answer["score"][0], rtol=1e-5)


def test_one_bad_call_among_many_costs_the_others_nothing(
    service: Service, fresh: list[np.ndarray]
) -> None:
    bodies = [json.dumps({"data": values.tolist()}).encode() for values in fresh[:31]]
    clean = service.answer([Request(body) for body in bodies])
    for position in (0, 15, 31):
        for bad in (b"{", b'{"data": [1]}', None):
            mixed = [*bodies[:position], bad, *bodies[position:]]
            replies = service.answer([Request(body) for body in mixed])
            assert replies.pop(position).status in (400, 422)
            for reply, expected in zip(replies, clean, strict=True):
                got, want = json.loads(reply.body), json.loads(expected.body)
                np.testing.assert_allclose(got["score"], want["score"], rtol=1e-4, atol=1e-5)


def test_half_a_surrogate_pair_is_answered(service: Service, fresh: list[np.ndarray]) -> None:
    """It comes only from another parser than ours, which a server may put before it."""
    bodies = [{"\ud800": 1}, {"data": fresh[0].tolist()}]
    assert [reply.status for reply in service.answer([Request(b) for b in bodies])] == [422, 200]


def test_errors_have_one_form(service: Service) -> None:
    replies = service.answer(
        [Request(None), Request(b"{"), Request(b'{"data": [1, 2]}'), Request(b'{"x": 1}')]
    )
    errors = [json.loads(reply.body) for reply in replies]
    assert [reply.status for reply in replies] == [400, 400, 422, 422]
    assert [error["code"] for error in errors] == [400, 400, 422, 422]
    assert [error["field"] for error in errors] == ["body", "body", "data", "x"]
    assert "Content-Type" in errors[0]["message"]
    assert all(error.keys() == {"code", "message", "field"} for error in errors)


def test_what_a_request_may_cost_is_bounded(engine: Engine, fresh: list[np.ndarray]) -> None:
    small = Service(engine, "waves", "1.0", Limits(values=3 * 32, response_bytes=1000))
    data = np.concatenate(fresh[:2]).tolist()
    status, error = ask(small, data=data)
    assert (status, error["field"]) == (422, "stride")
    assert ask(small, data=data, stride=20)[0] == 200
    status, error = ask(small, data=data, stride=20, output=["contributions"])
    assert (status, error["field"]) == (422, "output")


def test_a_batch_is_run_in_pieces_that_fit(engine: Engine, fresh: list[np.ndarray]) -> None:
    bodies = [json.dumps({"data": values.tolist()}).encode() for values in fresh[:10]]
    whole = Service(engine, "waves", "1.0", Limits()).answer([Request(b) for b in bodies])
    pieces = Service(engine, "waves", "1.0", Limits(values=3 * 32)).answer(
        [Request(b) for b in bodies]
    )
    for one, other in zip(whole, pieces, strict=True):
        assert json.loads(one.body)["score"] == pytest.approx(json.loads(other.body)["score"], 1e-4)


def test_many_short_series_are_run_in_pieces(
    engine: Engine, fresh: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What they cost is in their number, not in their values."""
    monkeypatch.setattr("rvae.serving.jobs.DECODED_BYTES", 1 << 40)
    service = Service(engine, "waves", "1.0", Limits())
    sizes = []
    analyse = engine.analyse

    def count(series: Sequence[Series], strides: Sequence[int]) -> list[Analysis]:
        sizes.append(len(series))
        return analyse(series, strides)

    monkeypatch.setattr(engine, "analyse", count)
    body = json.dumps({"instances": [fresh[0].tolist()] * 1500, "output": ["score"]}).encode()
    assert {reply.status for reply in service.answer([Request(body)] * 4)} == {200}
    assert sizes == [3000, 3000]


def test_what_there_is_no_time_for_is_asked_to_come_again(
    engine: Engine, fresh: list[np.ndarray]
) -> None:
    late = Service(engine, "waves", "1.0", Limits(seconds=0.0))
    bodies = [json.dumps({"data": fresh[0].tolist()}).encode(), b"{"]
    replies = late.answer([Request(body) for body in bodies])
    assert [reply.status for reply in replies] == [503, 400]
    assert replies[0].headers == {"Retry-After": "1"}


def test_a_request_that_breaks_its_reader_breaks_no_other(
    service: Service, fresh: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    def decode(request: Request) -> Content:
        if request.body == b"poison":
            raise MemoryError
        return pipeline.decode(request)

    monkeypatch.setattr("rvae.serving.service.decode", decode)
    good = json.dumps({"data": fresh[0].tolist()}).encode()
    replies = service.answer([Request(body) for body in (good, b"poison", good)])
    assert [reply.status for reply in replies] == [200, 500, 200]


def test_a_batch_that_breaks_is_taken_apart_only_as_long_as_there_is_time(
    engine: Engine, fresh: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    times = iter([0.0, 0.0, *[100.0] * 9])
    monkeypatch.setattr("rvae.serving.service.time.monotonic", lambda: next(times))

    def broken(self: Engine, series: Sequence[Series], strides: Sequence[int]) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(type(engine), "analyse", broken)
    body = json.dumps({"data": fresh[0].tolist()}).encode()
    replies = Service(engine, "waves", "1.0", Limits()).answer([Request(body)] * 4)
    assert [reply.status for reply in replies] == [503] * 4


def test_a_request_that_breaks_the_model_breaks_no_other(
    engine: Engine, fresh: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    poison = 12345.0
    analyse = type(engine).analyse

    def fragile(self: Engine, series: Sequence[Series], strides: Sequence[int]) -> list[Analysis]:
        if any((one.values == poison).any() for one in series):
            raise RuntimeError("broken")
        return analyse(self, series, strides)

    monkeypatch.setattr(type(engine), "analyse", fragile)
    service = Service(engine, "waves", "1.0", Limits())
    bodies = [json.dumps({"data": values.tolist()}).encode() for values in fresh[:4]]
    bodies.insert(2, json.dumps({"data": [poison] * 32}).encode())
    replies = service.answer([Request(body) for body in bodies])
    assert [reply.status for reply in replies] == [200, 200, 500, 200, 200]
    assert json.loads(replies[2].body).keys() == {"code", "message", "field"}


@pytest.mark.parametrize(
    "body",
    [
        b'{"' + b"a" * 6_500_000 + b'": 1}',
        b'{"output": [' + b"1," * 1_000_000 + b"1]}",
        b'{"instances": [' + b"1," * 1_000_000 + b"1]}",
        b"{" + b",".join(b'"%d":1' % i for i in range(300_000)) + b"}",
        b'{"data": [' + b'"x",' * 1_000_000 + b"1]}",
        b'{"data": [' + b"{}," * 1_000_000 + b"1]}",
    ],
)
def test_a_huge_wrong_body_gets_a_short_answer(service: Service, body: bytes) -> None:
    (reply,) = service.answer([Request(body)])
    # So many objects are not even parsed.
    assert reply.status == (400 if b"{}," in body else 422)
    assert len(reply.body) < 1000


def test_the_description_can_be_used(service: Service) -> None:
    description = json.loads(service.describe().body)
    assert description["model"] == "waves"
    assert ask(service, **description["example"])[0] == 200
    public = json.loads(service.describe_publicly().body)
    assert public.keys() == description.keys() - {"runtime"}
    assert public["example"] == description["example"]


def test_an_empty_batch_is_answered(service: Service) -> None:
    assert service.answer([]) == []


@pytest.fixture(scope="module", params=list(KINDS.values()), ids=list(KINDS))
def any_service(request: pytest.FixtureRequest) -> Service:
    return Service(untrained_engine(request.param), "any", "1.0", Limits())


def test_the_example_of_every_kind_of_model_is_accepted(any_service: Service) -> None:
    description = json.loads(any_service.describe().body)
    example, card = description["example"], description["card"]
    status, answer = ask(any_service, **example)
    assert status == 200, answer
    assert len(answer["score"]) == 1
    # And as one of several instances.
    several: dict[str, Any] = {
        name: [value] * 2 for name, value in example.items() if name != "data"
    }
    status, answer = ask(any_service, instances=[example["data"]] * 2, **several)
    assert status == 200, answer
    assert set(example) == (
        {"data"}
        | ({"timestamps"} if card["times"]["needed"] else set())
        | ({"label"} if card["classes"] else set())
    )


def test_every_output_of_every_kind_of_model_has_the_form_of_the_request(
    any_service: Service,
) -> None:
    example = json.loads(any_service.describe().body)["example"]
    output = ["score", "latent", "reconstruction", "point_scores", "contributions", "events"]
    _, answer = ask(any_service, **example, output=output)
    assert np.shape(answer["reconstruction"]) == np.shape(example["data"])
    assert np.shape(answer["contributions"]) == (1, *np.shape(example["data"]))
    assert np.shape(answer["point_scores"]) == (8,)
    assert len(answer["events"]) == answer["is_anomaly"][0]
    assert all(0 <= event["start"] < event["end"] <= 8 for event in answer["events"])
    # A reconstruction can be asked about in its turn.
    assert ask(any_service, **(example | {"data": answer["reconstruction"]}))[0] == 200


def test_categories_come_back_as_text() -> None:
    service = Service(untrained_engine(KINDS["categories"]), "any", "1.0", Limits())
    data = [[20.0, "on"], [21.0, 3], [None, None], [22.0, "stuck"]] * 2
    status, answer = ask(service, data=data, output=["reconstruction"])
    assert status == 200
    for number, word in answer["reconstruction"]:
        assert type(number) is float
        assert word in MODE["mode"]


def test_one_categorical_channel_is_answered_as_it_was_asked() -> None:
    service = Service(untrained_engine(KINDS["one categorical channel"]), "any", "1.0", Limits())
    words = ["on", "off", None, 3] * 2
    for data, shape in ((words, (8,)), ([[word] for word in words], (8, 1))):
        _, answer = ask(service, data=data, output=["reconstruction", "contributions"])
        assert np.shape(answer["reconstruction"]) == shape
        assert np.shape(answer["contributions"]) == (1, *shape)


def test_an_unknown_category_is_scored_and_is_the_reason() -> None:
    service = Service(untrained_engine(KINDS["categories"]), "any", "1.0", Limits())
    data = [[20.0, "on"] for _ in range(8)]
    _, usual = ask(service, explain=True, data=data)
    data[5][1] = "on fire"
    status, odd = ask(service, explain=True, data=data)
    assert status == 200
    assert odd["score"][0] > usual["score"][0] + 0.3
    step, channel = np.unravel_index(np.argmax(odd["contributions"]), (8, 2))
    assert (step, channel) == (5, 1)


def test_categories_count_for_what_they_cost() -> None:
    """A channel of a thousand categories is a thousand numbers in the answer's making."""
    words = {"mode": tuple(f"w{i}" for i in range(1000))}
    card = untrained_card(channels=("mode",), categories=words)
    service = Service(untrained_engine(card), "any", "1.0", Limits(values=3 * 8 * 1000))
    assert ask(service, data=["w1"] * 10)[0] == 200
    status, error = ask(service, data=["w1"] * 11)
    assert (status, error["field"]) == (422, "stride")


def test_what_is_missing_beside_the_values_is_asked_for() -> None:
    for kind, field in (("calendar", "timestamps"), ("conditional", "label")):
        service = Service(untrained_engine(KINDS[kind]), "any", "1.0", Limits())
        status, error = ask(service, data=[20.0] * 8)
        assert (status, error["field"]) == (422, field)


@pytest.fixture
def runs(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Numbers of windows that were run as a whole."""
    counted: list[int] = []
    original = engine.runtime.run

    def run(batch: Batch) -> Run:
        counted.append(len(batch.x))
        return original(batch)

    monkeypatch.setattr(engine.runtime, "run", run)
    return counted


def test_a_request_for_latents_alone_is_not_decoded(
    service: Service, engine: Engine, fresh: list[np.ndarray], runs: list[int]
) -> None:
    status, answer = ask(service, data=fresh[0].tolist(), output=["latent"])
    assert status == 200 and not runs
    (analysis,) = engine.analyse(fresh[:1])
    np.testing.assert_allclose(answer["latent"], analysis.latent, rtol=1e-5, atol=1e-6)


def test_a_batch_is_decoded_if_one_of_its_requests_needs_it(
    service: Service, fresh: list[np.ndarray], runs: list[int]
) -> None:
    bodies = [
        {"data": values.tolist(), "output": [output]}
        for values, output in zip(fresh, ("latent", "score", "latent"), strict=False)
    ]
    replies = service.answer([Request(json.dumps(body).encode()) for body in bodies])
    assert [set(json.loads(reply.body)) & {"latent", "score"} for reply in replies] == [
        {"latent"},
        {"score"},
        {"latent"},
    ]
    assert runs == [3]


def test_the_description_tells_what_runs_the_network() -> None:
    artifact = with_graphs(scored(network_card("dense"), "likelihood"))
    for engine, name in (
        (Engine(replace(artifact, graphs={})), "torch"),
        (Engine(artifact), "onnx"),
    ):
        content = json.loads(Service(engine, "any", "1.0", Limits()).describe().body)
        settings = engine.runtime.settings().items()
        assert content["runtime"] == {"name": name} | {k: v for k, v in settings if v is not None}
        assert content["runtime"]["windows_per_run" if name == "onnx" else "device"]
        assert content["card"]["graphs"]["name"] == "onnx"
        assert content["card"]["graphs"]["parity"]["tolerance"] == 1e-4


def score_request(values: np.ndarray, **asked: Any) -> Request:
    """A request whose ticket is live unless something else is said."""
    body = json.dumps({"data": values.tolist(), "output": ["score"]}).encode()
    return replace(Request(body, may_defer=True), **asked)


@pytest.fixture
def seconds_per_window(monkeypatch: pytest.MonkeyPatch) -> float:
    """What every window takes by the estimates."""
    monkeypatch.setattr("rvae.serving.pace.Pace.seconds", lambda pace, work: 0.09 * work)
    return 0.09


def test_what_nobody_waits_for_is_neither_read_nor_run(
    service: Service, fresh: list[np.ndarray], runs: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Request] = []

    def decode(request: Request) -> Content:
        read.append(request)
        return pipeline.decode(request)

    monkeypatch.setattr("rvae.serving.service.decode", decode)
    gone = [score_request(values, is_wanted=lambda: False) for values in fresh[:3]]
    wanted = [score_request(values) for values in fresh[3:5]]
    replies = service.answer([gone[0], wanted[0], gone[1], wanted[1], gone[2]])
    assert [reply.status for reply in replies] == [408, 200, 408, 200, 408]
    assert len(read) == 2 and runs == [2]
    runs.clear()
    assert {reply.status for reply in service.answer(gone)} == {408}
    assert len(read) == 2 and not runs


def test_who_hangs_up_while_others_are_read_or_run_is_not_computed_for(
    engine: Engine, fresh: list[np.ndarray], runs: list[int]
) -> None:
    one_a_run = Service(engine, "waves", "1.0", Limits(values=32))
    # A ticket is looked at before its request is read, and before that is run.
    at_reading, at_the_run = iter([False]), iter([True, False])
    requests = [
        score_request(fresh[0]),
        score_request(fresh[0], is_wanted=lambda: next(at_the_run)),
        score_request(fresh[0], is_wanted=lambda: next(at_reading)),
        # Once the first one has run.
        score_request(fresh[0], is_wanted=lambda: not runs),
    ]
    replies = one_a_run.answer(requests)
    assert [reply.status for reply in replies] == [200, 408, 408, 408]
    assert runs == [1]


@pytest.mark.usefixtures("seconds_per_window")
def test_cheap_requests_are_answered_and_expensive_ones_are_deferred(
    service: Service, fresh: list[np.ndarray], runs: list[int]
) -> None:
    long = np.concatenate(fresh[:2])  # of 33 windows
    cheap = [score_request(values) for values in fresh[:4]]
    short = Request(json.dumps({"task": "sample", "count": 100}).encode(), may_defer=True)
    replies = service.answer([short, score_request(long), *cheap, score_request(long)])
    assert [reply.status for reply in replies] == [503, 503, 200, 200, 200, 200, 503]
    seconds = [replies[place].headers["Rvae-Deferred"] for place in (0, 1, 6)]
    assert seconds == ["4.500", "2.970", "2.970"]
    assert sum(runs) == 4


@pytest.mark.usefixtures("seconds_per_window")
def test_cheap_requests_are_deferred_where_they_are_many(
    service: Service, fresh: list[np.ndarray]
) -> None:
    replies = service.answer([score_request(fresh[0]) for _ in range(10)])
    # The first, and those of the half second after it.
    assert [reply.status for reply in replies] == [200] * 6 + [503] * 4
    assert replies[-1].headers["Rvae-Deferred"] == "0.090"


def test_answers_that_fill_the_memory_leave_the_others_for_later(
    service: Service, fresh: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = [score_request(values) for values in fresh[:4]]
    size = len(service.answer(requests[:1])[0].body)
    monkeypatch.setattr("rvae.serving.turn.ANSWERED_BYTES", 2 * size - 20)
    replies = service.answer(requests)
    assert sorted(reply.status for reply in replies) == [200, 200, 503, 503]
    assert sum("Rvae-Deferred" in reply.headers for reply in replies) == 2
    again = [replace(request, may_defer=False) for request in requests]
    assert {reply.status for reply in service.answer(again)} == {200}


@pytest.mark.usefixtures("seconds_per_window")
def test_who_comes_again_or_has_no_ticket_is_not_deferred(
    service: Service, fresh: list[np.ndarray]
) -> None:
    long = np.concatenate(fresh[:2])
    again = score_request(long, may_defer=False)
    replies = service.answer([again, score_request(fresh[0]), again, score_request(long)])
    assert [reply.status for reply in replies] == [200, 200, 200, 503]
    assert service.answer([score_request(long)])[0].status == 503  # also alone


@pytest.mark.usefixtures("seconds_per_window")
def test_what_would_take_too_long_is_refused_with_what_to_change(
    engine: Engine, fresh: list[np.ndarray]
) -> None:
    hurried = Service(engine, "waves", "1.0", Limits(seconds=1.0))
    data = np.concatenate(fresh[:2]).tolist()
    status, error = ask(hurried, data=data)
    assert (status, error["field"]) == (422, "stride")
    assert error["message"] == (
        "would take about 3 s, the limit is 1 s: raise it above 1 or send less at once"
    )
    assert ask(hurried, data=data, stride=4)[0] == 200
    # Latents alone are half the work, and so is the decoder's part.
    assert ask(hurried, data=data, stride=2)[0] == 422
    assert ask(hurried, data=data, stride=2, output=["latent"])[0] == 200
    assert ask(hurried, task="sample", count=22)[0] == 200
    status, error = ask(hurried, task="sample", count=23)
    assert (status, error["field"]) == (422, "count")


def test_a_service_that_has_warmed_up_knows_how_fast_it_is(engine: Engine) -> None:
    hurried = Service(engine, "waves", "1.0", Limits(seconds=1e-6))
    assert ask(hurried, task="sample", count=1000)[0] == 503  # it may be quick
    fresh_one = Service(engine, "waves", "1.0", Limits())
    fresh_one.warm_up()
    relaxed = Service(engine, "waves", "1.0", Limits(seconds=1e-6))
    relaxed._pace = fresh_one._pace
    status, error = ask(relaxed, task="sample", count=1000)
    assert (status, error["field"]) == (422, "count")
    assert "would take about 0 s" in error["message"]


def test_large_bodies_are_not_decoded_before_others_are_answered(
    service: Service, fresh: list[np.ndarray], runs: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rvae.serving.jobs.DECODED_BYTES", JSON.decode_memory(b"x" * 9_000))
    order: list[tuple[str, int]] = []

    def decode(request: Request) -> Content:
        order.append(("decoded", len(request.body)))
        return pipeline.decode(request)

    monkeypatch.setattr("rvae.serving.service.decode", decode)
    series = [np.concatenate(fresh[:count]) for count in (20, 1, 12, 1)]
    bodies = [json.dumps({"data": one.tolist(), "stride": 640}).encode() for one in series]
    sizes = sorted(map(len, bodies))
    assert sizes[1] < 5_000 < sizes[2] < 9_000 < sizes[3]
    analyse = service._engine.analyse

    def count(series: Sequence[Series], strides: Sequence[int]) -> list[Analysis]:
        order.append(("run", len(series)))
        return analyse(series, strides)

    monkeypatch.setattr(service._engine, "analyse", count)
    replies = service.answer([Request(body) for body in bodies])
    assert [reply.status for reply in replies] == [200] * 4
    first, second, third, fourth = (("decoded", size) for size in sizes)
    assert order == [first, second, ("run", 2), third, ("run", 1), fourth, ("run", 1)]


def test_a_body_is_given_back_once_it_is_read(service: Service, fresh: list[np.ndarray]) -> None:
    """Servers keep what they have received until a batch is answered."""
    body = bytearray(json.dumps({"data": fresh[0].tolist()}).encode())
    wrong = bytearray(b"{")
    replies = service.answer([Request(body), Request(wrong)])
    assert [reply.status for reply in replies] == [200, 400]
    assert not body and not wrong


def test_a_service_tells_how_long_it_expects_to_be_busy(
    engine: Engine, fresh: list[np.ndarray], seconds_per_window: float
) -> None:
    expected: list[float] = []
    busy: list[bool] = []

    @contextmanager
    def watch(seconds: float) -> Iterator[None]:
        assert not busy
        expected.append(seconds)
        busy.append(True)
        yield
        busy.clear()

    watched = Service(engine, "waves", "1.0", Limits(), watch)
    watched.answer([score_request(np.concatenate(fresh[:2]), may_defer=False)])
    reading, running = expected
    assert reading < 1.1 and running == pytest.approx(1 + 33 * seconds_per_window)
    assert not busy
