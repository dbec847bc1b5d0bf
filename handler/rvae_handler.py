"""TorchServe's batch of requests → `rvae.service` → TorchServe's batch of responses."""

import logging
import os
from http import HTTPStatus
from typing import Any

import torch

from rvae.engine import Engine
from rvae.process import computing_threads, keep_freed_memory
from rvae.service import Call, Limits, Reply, Service


class RvaeHandler:
    """What TorchServe calls: `initialize` once in a worker, then `handle` for every batch."""

    def initialize(self, context: Any) -> None:
        """Load the artifact that lies beside this file onto the device that TorchServe assigned."""
        # Workers write several lines a request to a pipe that the server reads: at this rate
        # logging costs more than a small model. Metrics travel the same way and must stay.
        logging.getLogger().setLevel(logging.WARNING)
        logging.getLogger("ts.metrics.caching_metric").setLevel(logging.INFO)
        keep_freed_memory()
        properties = context.system_properties
        gpu = properties.get("gpu_id")
        on_gpu = gpu is not None and torch.cuda.is_available()
        options = context.model_yaml_config.get("rvae", {})
        if not on_gpu:
            share = computing_threads(int(os.environ.get("RVAE_WORKERS", "1")))
            torch.set_num_threads(share or torch.get_num_threads())
        engine = Engine.load(properties["model_dir"], f"cuda:{gpu}" if on_gpu else "cpu")
        manifest = context.manifest["model"]
        self.service = Service(
            engine, manifest["modelName"], manifest["modelVersion"], Limits(**options)
        )
        self.service.warm_up()

    def handle(self, data: list[dict[str, Any]], context: Any) -> list[bytes]:
        """Answer a batch: one body a request, in order."""
        described = [context.get_request_header(i, "describe") == "True" for i in range(len(data))]
        calls = [
            Call(body_of(item), context.get_request_header(i, "explain") == "True")
            for i, item in enumerate(data)
            if not described[i]
        ]
        answers = iter(self.service.answer(calls))
        replies = [self.service.describe() if d else next(answers) for d in described]
        for i, reply in enumerate(replies):
            send(context, i, reply)
        return [reply.body for reply in replies]


def body_of(item: dict[str, Any]) -> Any:
    """The request's body: what is under "body", or under "data" in a form; None where neither is.

    TorchServe drops the body of a urlencoded request, which is what curl sends unasked.
    """
    return item.get("body", item.get("data"))


def send(context: Any, index: int, reply: Reply) -> None:
    """Set status and header of one response of the batch."""
    # The phrase has to be ASCII: a worker that sends anything else there dies.
    context.set_response_status(reply.status, HTTPStatus(reply.status).phrase, index)
    context.set_response_content_type(index, "application/json")
    for name, value in reply.headers.items():
        context.set_response_header(index, name, value)
