"""The worker's process by itself, in the place of TorchServe's Java."""

import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest
import ts

from rvae.serving.torchserve.home import make_home
from tests.support.waiting import wait_for

HANDLER = """
import sys

class Answers:
    def initialize(self, context):
        self.path = list(sys.path)

    def handle(self, data, context):
        wish = bytes(data[0]["body"]).decode()
        if wish == "tensor":
            import torch
            return [torch.ones(3)]
        return [str("torch" in sys.modules) if wish == "torch" else "\\n".join(self.path)]
"""


def field(content: bytes) -> bytes:
    return struct.pack("!i", len(content)) + content


def request(body: bytes) -> bytes:
    """A batch of one request, as TorchServe's Java writes it."""
    end = struct.pack("!i", -1)
    parameter = field(b"body") + field(b"application/octet-stream") + field(body)
    return b"I" + field(b"id") + end + parameter + end + end


def read_field(answers: BinaryIO) -> bytes:
    (length,) = struct.unpack("!i", answers.read(4))
    return answers.read(max(length, 0))


def read_answer(answers: BinaryIO) -> bytes:
    """The body of an answer to a batch of one."""
    (status,) = struct.unpack("!i", answers.read(4))
    assert status == 200
    assert (read_field(answers), read_field(answers)) == (b"Prediction success", b"id")
    read_field(answers)  # content type
    answers.read(4)  # status of this answer
    read_field(answers)  # phrase
    assert answers.read(4) == struct.pack("!i", 0)  # headers
    body = read_field(answers)
    assert answers.read(4) == struct.pack("!i", -1)
    return body


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[socket.socket]:
    """A connection to a worker whose model is loaded."""
    home = make_home(tmp_path / "home")
    model = tmp_path / "model"
    model.mkdir()
    (model / "answers.py").write_text(HANDLER)
    address = tmp_path / "s.9000"
    metrics = Path(ts.__file__).parent / "configs" / "metrics.yaml"
    command = [sys.executable, str(home / "ts" / "model_service_worker.py")]
    command += ["--sock-type", "unix", "--sock-name", str(address)]
    command += ["--metrics-config", str(metrics)]
    process = subprocess.Popen(command, env={"PYTHONPATH": str(model)}, stdout=subprocess.DEVNULL)
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            wait_for(lambda: connection.connect_ex(str(address)) == 0)
            load = field(b"answers") + field(str(model).encode()) + struct.pack("!i", 1)
            load += field(b"answers.py") + struct.pack("!i", -1) + field(b"") + b"\1"
            connection.sendall(b"L" + load)
            with connection.makefile("rb") as answers:
                assert answers.read(4) == struct.pack("!i", 200)
                assert read_field(answers) == b"loaded model answers"
                answers.read(4)
            yield connection
        assert process.wait(30) == 0  # it ends with the connection
    finally:
        process.kill()
        process.wait()


def test_torch_is_imported_when_it_is_used_and_tensors_are_answered_as_before(
    worker: socket.socket,
) -> None:
    with worker.makefile("rb") as answers:
        for body, expected in ((b"torch", b"False"), (b"tensor", b"PK"), (b"torch", b"True")):
            worker.sendall(request(body))
            assert read_answer(answers).startswith(expected)


def test_what_has_been_read_ahead_is_answered(worker: socket.socket) -> None:
    messages = request(b"torch") * 3 + request(b"x" * 200_000)
    with worker.makefile("rb") as answers:
        for part in (messages[:7], messages[7:100], messages[100:]):
            worker.sendall(part)
        assert [read_answer(answers) for _ in range(3)] == [b"False"] * 3
        assert read_answer(answers)


def test_a_handler_imports_nothing_from_the_home_of_the_server(worker: socket.socket) -> None:
    with worker.makefile("rb") as answers:
        worker.sendall(request(b"path"))
        path = read_answer(answers).decode().splitlines()
    assert any(folder.endswith("/model") for folder in path)
    assert not any(folder.endswith("/home/ts") for folder in path)
