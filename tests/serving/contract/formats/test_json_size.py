"""No value in JSON is shorter or longer than is said."""

import numpy as np
import orjson

from rvae.scoring.events import Event
from rvae.serving.contract.formats.json_size import NUMBERS, event_size
from rvae.serving.contract.formats.json_text import dump_json
from rvae.serving.contract.sizes import Kind, Span, Values
from tests.support.untrained import KINDS


def test_numbers_are_as_long_as_is_said() -> None:
    random = np.random.default_rng(0)
    doubles = random.integers(0, 2**64, 200_000, np.uint64, endpoint=False).view(np.float64)
    for kind, values in (
        (Kind.FLOAT64, np.append(doubles, [0.0, -0.0, np.nan, -2.2250738585072014e-308, 1e5])),
        (Kind.FLOAT32, doubles.view(np.float32)),
        (Kind.FLAG, np.array([True, False])),
    ):
        lengths = [len(text) + 1 for text in dump_json(values)[1:-1].split(b",")]
        span = NUMBERS.kinds[kind]
        assert span.least <= min(lengths) and max(lengths) <= span.most
    assert NUMBERS.kinds[Kind.FLOAT64] == Span(len("0.0,"), len("-2.2250738585072014e-308,"))


def test_integers_and_texts_are_as_long_as_is_said() -> None:
    largest = 1234
    span = NUMBERS.size(Values("starts", Kind.INTEGER, 10, largest=largest))
    assert span == Span(2 * 10, 5 * 10)
    words = (None, "on", 'say "ä"\n')
    span = NUMBERS.size(Values("mode", Kind.TEXT, 3, texts=words))
    lengths = [len(orjson.dumps(word)) + 1 for word in words]
    assert span == Span(3 * min(lengths), 3 * max(lengths))


def test_an_event_needs_a_hundred_bytes_at_least() -> None:
    span = event_size(KINDS["several"])
    assert 100 < span.least < span.most < 1000
    assert Event.__dataclass_fields__.keys() >= {"start", "peak", "channels"}
