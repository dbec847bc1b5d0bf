"""Ports that can be listened on, and those that cannot."""

import socket

import pytest

from rvae.errors import FieldError
from rvae.serving.ports import LOOPBACK, require_free


def test_a_port_is_free_until_somebody_listens() -> None:
    with socket.socket() as listener:
        listener.bind((LOOPBACK, 0))
        port = listener.getsockname()[1]
        listener.listen()
        with pytest.raises(FieldError) as caught:
            require_free(LOOPBACK, port)
        assert caught.value.field == "port" and f"{LOOPBACK}:{port}" in caught.value.message
    require_free(LOOPBACK, port)


@pytest.mark.parametrize("host", ["::1", "no.host"])
def test_what_is_no_address_is_said(host: str) -> None:
    with pytest.raises(FieldError) as caught:
        require_free(host, 0)
    assert caught.value.field == "host"
