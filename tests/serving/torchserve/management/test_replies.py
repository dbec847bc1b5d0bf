"""What the management says."""

import orjson

from rvae.serving.torchserve.management.replies import done, in_json


def test_good_answers_are_json() -> None:
    for answer, content in ((done("x"), {"status": "x"}), (in_json([1]), [1])):
        assert (answer.status, orjson.loads(answer.body)) == (200, content)
        assert answer.headers == {"content-type": "application/json"}
