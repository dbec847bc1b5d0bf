"""Ports of TCP that a server is to listen on."""

import socket

from rvae.errors import FieldError

__all__ = ["LOOPBACK", "bound_socket", "require_free"]

LOOPBACK = "127.0.0.1"


def bound_socket(host: str, port: int) -> socket.socket:
    """A socket that has an address, and does not listen yet; 0 is any free port.

    Raises:
        FieldError: If it cannot have this one.
    """
    try:
        address = socket.getaddrinfo(host, port, socket.AF_INET, socket.SOCK_STREAM)[0][4]
    except OSError as error:
        raise FieldError("host", f"{host} is not an IPv4 address: {error.strerror}") from None
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind(address)
    except OSError as error:
        bound.close()
        raise FieldError("port", f"cannot listen on {host}:{port}: {error.strerror}") from None
    return bound


def require_free(host: str, port: int) -> None:
    """Raise a `FieldError` unless the address can be listened on."""
    bound_socket(host, port).close()
