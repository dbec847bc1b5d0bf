"""Forms as they are posted, without a server that has taken them apart."""

import json
from typing import Any

import numpy as np
import pytest

from rvae.serving.contract.forms import PLACES, in_form, request_in_form
from rvae.serving.contract.messages import Request
from rvae.serving.service import Limits, Service
from tests.support.service_client import to_npy
from tests.support.untrained import KINDS, untrained_engine

TYPE = "multipart/form-data; boundary=xYz"
NAMED = 'form-data; name="body"'
FILE = 'form-data; name="upload"; filename="series.csv"'
OTHER = 'form-data; name="note"'
END = b"--xYz--\r\n"
DATA = json.dumps({"data": [20.0] * 8}).encode()


@pytest.fixture(scope="module")
def service() -> Service:
    return Service(untrained_engine(KINDS["numbers"]), "any", "1.0", Limits())


def part(content: bytes, disposition: str = NAMED, *headers: str) -> bytes:
    lines = (f"Content-Disposition: {disposition}", *headers, "", "")
    return b"--xYz\r\n" + "\r\n".join(lines).encode() + content + b"\r\n"


def ask(service: Service, body: bytes, content_type: str = TYPE) -> tuple[int, Any]:
    (reply,) = service.answer([Request(body, content_type=content_type)])
    is_json = reply.content_type == "application/json"
    return reply.status, json.loads(reply.body) if is_json else reply.content_type


@pytest.mark.parametrize("name", PLACES)
def test_a_part_of_the_right_name_is_the_request(service: Service, name: str) -> None:
    named = part(DATA, f'form-data; name="{name}"')
    for form in (named, part(b"1", OTHER) + named, named + part(b"1", FILE)):
        assert ask(service, form + END)[0] == 200
    assert ask(service, b"\r\n" + named + END + b"an epilogue")[0] == 200


def test_the_only_file_is_the_request_in_its_own_format(service: Service) -> None:
    csv = part(b"heat\n" + b"20\n" * 8, FILE, "Content-Type: text/csv")
    assert ask(service, part(b"1", OTHER) + csv + END) == (200, "text/csv")
    array = to_npy(np.full(8, 20.0))
    assert ask(service, part(array, FILE) + END) == (200, "application/octet-stream")
    unnamed = part(DATA, 'form-data; filename="x"')
    assert ask(service, unnamed + END)[0] == 200


def test_a_charset_that_nobody_knows_is_no_matter(service: Service) -> None:
    form = part(DATA, NAMED, "Content-Type: application/json; charset=klingon")
    assert ask(service, form + END, TYPE + "; charset=klingon")[0] == 200


@pytest.mark.parametrize(
    ("form", "field", "said"),
    [
        (part(DATA, "form-data") + END, "body", "a part named body or data"),
        (part(DATA, OTHER) + END, "body", "got note"),
        (part(DATA, FILE) * 2 + END, "body", "got upload, upload"),
        (part(DATA) * 2 + END, "body", "is the name of two parts"),
        (b"--xYz\r\n\r\n" + DATA + b"\r\n" + END, "body", "got None"),
        (END, "body", "got no part"),
        (part(b"") + END, "body", "is empty"),
        (part(DATA), "body", "ends early"),
        (part(DATA)[:-30], "body", "ends early"),
        (part(DATA, OTHER) * 9 + END, "body", "over 8 parts"),
        (part(b"\r\n--xYz-" * 500_000) + END, "body", "over 8 parts"),
        (part(DATA, NAMED + "; x=" + "y" * 5000) + END, "body", "header size"),
        (part(DATA, NAMED, *["X: y"] * 20) + END, "body", "header count"),
        (b"--xYz\r\n" + b"a" * 1_000_000, "body", "header size"),
        (part(b"{") + END, "body", "is not valid JSON"),
    ],
)
def test_a_form_without_one_request_is_refused(
    service: Service, form: bytes, field: str, said: str
) -> None:
    status, error = ask(service, form)
    assert (status, error["field"]) == (400, field)
    assert said in error["message"]


def test_a_part_of_an_unknown_type_is_refused(service: Service) -> None:
    status, error = ask(service, part(DATA, NAMED, "Content-Type: image/png") + END)
    assert (status, error["field"]) == (415, "Content-Type")


def test_what_a_server_took_out_of_a_form_is_no_form(service: Service) -> None:
    """TorchServe passes the part on, with the type of the whole form."""
    assert not in_form(Request(DATA, content_type=TYPE), DATA)
    assert ask(service, DATA)[0] == 200
    for content_type in ("multipart/form-data", "multipart/form-data; boundary="):
        assert ask(service, DATA, content_type)[0] == 200


def test_the_part_is_a_request_of_its_own() -> None:
    form = part(DATA, NAMED, "Content-Type: text/plain") + END
    request = Request(form, True, TYPE, "text/csv")
    found, body = request_in_form(request, form)
    assert body == found.body == DATA
    assert found == Request(DATA, True, "text/plain", "text/csv")


def test_what_curl_calls_a_form_is_known_by_its_first_bytes(service: Service) -> None:
    urlencoded = "application/x-www-form-urlencoded"
    assert ask(service, DATA, urlencoded)[0] == 200
    array = to_npy(np.full(8, 20.0))
    assert ask(service, array, urlencoded) == (200, "application/octet-stream")
    status, error = ask(service, b"a=1&b=2", urlencoded)
    assert (status, error["field"]) == (400, "body")
    assert "Content-Type: application/json" in error["message"]
