"""Versions that do not become ready."""

from rvae.serving.torchserve.unready import UnreadyError
from tests.support.registrations import registration


def test_the_error_names_each_version_with_its_file_and_reason() -> None:
    one, two = registration("1.0"), registration("2.0")
    error = UnreadyError({one: "does not load: why", two: "did not answer within 3 s"})
    assert error.field == "server" and error.reasons[two].startswith("did not")
    assert error.message == (
        "toy 1.0 (toy-1.0.mar) does not load: why; toy 2.0 (toy-2.0.mar) did not answer within 3 s"
    )
