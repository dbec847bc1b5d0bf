"""The paths of the public port: what is asked for there, of which model, and by which methods."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

__all__ = ["METHODS", "READING", "Place", "Question", "infer_path", "place_of"]


class Question(Enum):
    """What is asked for."""

    PREDICTION = auto()
    EXPLANATION = auto()
    PING = auto()
    # Of the Open Inference Protocol.
    SERVER = auto()  # what the server is
    LIVE = auto()
    READY = auto()
    MODEL = auto()  # what a model takes
    MODEL_READY = auto()
    INFERENCE = auto()


READING = ("GET", "HEAD")
METHODS: Mapping[Question, tuple[str, ...]] = {
    **dict.fromkeys(Question, READING),
    Question.PREDICTION: (*READING, "POST"),  # who reads it is told what the model takes
    Question.EXPLANATION: ("POST",),
    Question.INFERENCE: ("POST",),
}

NAME = r"([\w.~+-]{1,128})"
PREDICTION = re.compile(rf"/(predictions|explanations)/{NAME}(?:/{NAME})?", re.A)
MODEL = re.compile(rf"/v2/models/{NAME}(?:/versions/{NAME})?(?:/(ready|infer))?", re.A)
OF_MODELS = {
    "predictions": Question.PREDICTION,
    "explanations": Question.EXPLANATION,
    None: Question.MODEL,
    "ready": Question.MODEL_READY,
    "infer": Question.INFERENCE,
}
OTHERS = {
    "/ping": Question.PING,
    "/v2": Question.SERVER,
    "/v2/": Question.SERVER,  # as the protocol's OpenAPI document has it
    "/v2/health/live": Question.LIVE,
    "/v2/health/ready": Question.READY,
}


@dataclass(frozen=True)
class Place:
    """What a path says.

    Attributes:
        question: What is asked for.
        model: Name of the model, where one is asked.
        version: Its version; None for the one that answers those who name none.
    """

    question: Question
    model: str = ""
    version: str | None = None


def place_of(target: str) -> Place | None:
    """What the path of a request says; None if there is no such path."""
    # TorchServe has never read a query here, and clients may send one.
    path = target.partition("?")[0]
    if path in OTHERS:
        return Place(OTHERS[path])
    if found := PREDICTION.fullmatch(path):
        kind, model, version = found.groups()
    elif found := MODEL.fullmatch(path):
        model, version, kind = found.groups()
    else:
        return None
    # Names that are steps in a path.
    return None if {model, version} & {".", ".."} else Place(OF_MODELS[kind], model, version)


def infer_path(model: str, version: str | None) -> str:
    """The path of a prediction by the Open Inference Protocol."""
    named = f"/versions/{version}" if version is not None else ""
    return f"/v2/models/{model}{named}/infer"
