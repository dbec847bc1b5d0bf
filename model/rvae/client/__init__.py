"""Predictions of a server, from Python."""

from rvae.client.client import Client
from rvae.client.errors import AnswerError, ClientError, RefusedError, UnavailableError

__all__ = ["AnswerError", "Client", "ClientError", "RefusedError", "UnavailableError"]
