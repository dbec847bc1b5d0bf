"""TorchServe's batch of requests → `rvae.serving.service` → TorchServe's batch of responses."""

import logging
import os
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any

from rvae.inference.artifact import Artifact
from rvae.inference.compute import inference_threads, keep_freed_memory
from rvae.inference.engine import Engine
from rvae.serving.contract.forms import PLACES
from rvae.serving.contract.messages import Reply, Request
from rvae.serving.golden import Golden, check_golden
from rvae.serving.heartbeat import Heartbeat
from rvae.serving.integrity import require_intact
from rvae.serving.metrics.meter import start_meter
from rvae.serving.metrics.report import UNREPORTED
from rvae.serving.service import Limits, Service
from rvae.serving.tickets import TicketReader

logger = logging.getLogger(__name__)


class RvaeHandler:
    """TorchServe's handler: `initialize` once per worker, then `handle` for every batch.

    A worker whose model is damaged, or does not answer as it did when it was packaged, gets no
    request. What else is in the archive was read by then: `worker.py` checks that before.

    In the environment, where something stands before the server and over its workers:
        RVAE_WORKERS: Number of workers that share the processors.
        RVAE_TICKETS: File of the tickets of requests that somebody waits for.
        RVAE_HEARTBEATS: Folder of the workers' heartbeats, and of what they measure of the machine.
        RVAE_METRICS: Folder in which workers count what they do.
    """

    def initialize(self, context: Any) -> None:
        """Load the artifact in the model folder onto the device that TorchServe assigned."""
        # Workers write several lines per request to a pipe that the server reads: at this rate
        # logging costs more than a small model. Metrics use the same pipe and must stay.
        logging.getLogger().setLevel(logging.WARNING)
        for kept in (logger, logging.getLogger("ts.metrics.caching_metric")):
            kept.setLevel(logging.INFO)
        properties = context.system_properties
        folder = Path(properties["model_dir"])
        require_intact(folder, used=True)
        golden = Golden.read(folder)
        gpu = properties.get("gpu_id")
        options = context.model_yaml_config.get("rvae", {})
        tickets, heartbeats = path_in("RVAE_TICKETS"), path_in("RVAE_HEARTBEATS")
        metrics = path_in("RVAE_METRICS")
        engine = Engine(
            Artifact.load(folder),
            "cpu" if gpu is None else cuda_or_cpu(gpu),
            inference_threads(int(os.environ.get("RVAE_WORKERS", "1"))),
            tuned=True,
            kept=heartbeats,
        )
        if engine.runtime.name == "torch":
            keep_freed_memory()  # other runtimes keep what they need by themselves
        self._tickets = None if tickets is None else TicketReader(tickets)
        manifest = context.manifest["model"]
        name, version = manifest["modelName"], manifest["modelVersion"]
        self.service = Service(
            engine,
            name,
            version,
            Limits(**options),
            # Not before the imports, some of which let no other thread of the process run.
            nullcontext if heartbeats is None else Heartbeat(heartbeats).busy,
            # A model may be registered under another name than that in its archive.
            UNREPORTED
            if metrics is None
            else start_meter(metrics, context.model_name, version, engine.card),
        )
        logger.info("The network is run by %s", self.service.runtime)
        if golden is not None:
            check_golden(self.service, golden)
        self.service.warm_up()

    def handle(self, data: list[dict[str, Any]], context: Any) -> list[bytes]:
        """Answer a batch: one body per request, in order."""
        headers = [headers_of(context.get_all_request_header(i)) for i in range(len(data))]
        describing = [self.describing(header) for header in headers]
        requests = [
            request_of(item, header, self._tickets)
            for item, header, describe in zip(data, headers, describing, strict=True)
            if describe is None
        ]
        answers = iter(self.service.answer(requests))
        replies = [next(answers) if describe is None else describe() for describe in describing]
        for i, reply in enumerate(replies):
            send(context, i, reply)
        return [reply.body for reply in replies]

    def describing(self, header: Mapping[str, Any]) -> Callable[[], Reply] | None:
        """What answers a request for a description; None for any other request."""
        if header.get("describe") == "True":
            return self.service.describe
        return self.service.describe_publicly if "rvae-describe" in header else None


def cuda_or_cpu(gpu: int) -> str:
    """The device that TorchServe assigned, if torch can use it."""
    import torch  # not where a processor is enough

    return f"cuda:{gpu}" if torch.cuda.is_available() else "cpu"


def headers_of(headers: Mapping[str, Any]) -> dict[str, Any]:
    """The headers of a request, with names in lower case.

    TorchServe keeps the headers of each part of a form among them, under the name of the part: they
    are only kept for the parts that may be the body.
    """
    return {
        name.lower(): value
        for name, value in headers.items()
        if isinstance(value, str) or name in PLACES
    }


def request_of(
    item: Mapping[str, Any], header: Mapping[str, Any], tickets: TicketReader | None = None
) -> Request:
    """A request, whose body is in the first of `PLACES` that exists.

    TorchServe drops the body of a urlencoded request, which is curl's default. What stands before
    it gives every body one type, which TorchServe does not parse, and names the client's.
    """
    place = next((name for name in PLACES if name in item), "")
    # Each part of a form has its own type.
    part = header.get(place)
    content_type = part.get("content-type") if isinstance(part, dict) else None
    request = Request(
        item.get(place),
        header.get("explain") == "True",
        header.get("rvae-content-type") or content_type or header.get("content-type"),
        header.get("accept"),
        header.get("rvae-options"),
        header.get("inference-header-content-length"),
        header.get("rvae-tensors") == "True",
    )
    ticket, arrived = header.get("rvae-ticket"), header.get("rvae-arrived")
    if tickets is None or ticket is None:
        return request
    # Who gives tickets sends what is deferred again; it is not to be deferred for ever.
    return replace(
        request,
        is_wanted=partial(tickets.is_live, ticket),
        may_defer="rvae-deferred" not in header,
        arrived=None if arrived is None else float(arrived),
    )


def path_in(variable: str) -> Path | None:
    """A path in the environment."""
    value = os.environ.get(variable)
    return Path(value) if value else None


def send(context: Any, index: int, reply: Reply) -> None:
    """Set status and header of one response of the batch."""
    # The phrase has to be ASCII: a worker that sends anything else there dies.
    context.set_response_status(reply.status, HTTPStatus(reply.status).phrase, index)
    context.set_response_content_type(index, reply.content_type)
    for name, value in reply.headers.items():
        context.set_response_header(index, name, value)
