"""What TorchServe's own answers mean."""

from rvae.serving.gateway.backend import Verdict
from rvae.serving.gateway.messages import Answer

__all__ = ["verdict"]

DIED = b"Worker died"
WITHOUT_WORKER = b"has no worker to serve inference request"


def verdict(answer: Answer) -> Verdict:
    """What became of a request, by TorchServe's answer to it."""
    if answer.status == 500 and DIED in answer.body[:200]:
        return Verdict.DIED
    if answer.status == 503 and WITHOUT_WORKER in answer.body[:400]:
        return Verdict.UNAVAILABLE
    return Verdict.ANSWERED
