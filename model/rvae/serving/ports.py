"""Ports of TCP that a server is to listen on."""

import socket

from rvae.errors import FieldError

__all__ = ["LOOPBACK", "require_free"]

LOOPBACK = "127.0.0.1"


def require_free(host: str, port: int) -> None:
    """Raise a `FieldError` unless the address can be listened on."""
    try:
        address = socket.getaddrinfo(host, port, socket.AF_INET, socket.SOCK_STREAM)[0][4]
    except OSError as error:
        raise FieldError("host", f"{host} is not an IPv4 address: {error.strerror}") from None
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            raise FieldError("port", f"cannot listen on {host}:{port}: {error.strerror}") from None
