"""The worker's process by itself, in the place of TorchServe's Java."""

import os
import socket
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import pytest
import ts

from rvae.serving.integrity import SIGNATURE_FILE, sign, write_sums
from rvae.serving.torchserve.home import make_home
from tests.support.archives import key_pair
from tests.support.waiting import wait_for

HANDLER = """
import subprocess, sys

class Answers:
    def initialize(self, context):
        self.path = list(sys.path)

    def handle(self, data, context):
        wish = bytes(data[0]["body"]).decode()
        if wish == "tensor":
            import torch
            return [torch.ones(3)]
        if wish == "child":
            code = "import answers; print('found')"
            return [subprocess.check_output([sys.executable, "-c", code], text=True, cwd="/")]
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
def model(tmp_path: Path) -> Path:
    """An unpacked archive."""
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "answers.py").write_text(HANDLER)
    return folder


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts a worker as Java does, with more in its environment."""
    home = make_home(tmp_path / "home")
    metrics = Path(ts.__file__).parent / "configs" / "metrics.yaml"
    command = [sys.executable, str(home / "ts" / "model_service_worker.py")]
    command += ["--sock-type", "unix", "--sock-name", str(tmp_path / "s.9000")]
    command += ["--metrics-config", str(metrics)]
    started = []

    def popen(**environment: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            command,
            env={"RVAE_PYTHONPATH": os.environ.get("PYTHONPATH", ""), **environment},
            cwd=tmp_path / "model",
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield popen
    for process in started:
        process.kill()
        process.communicate()


@contextmanager
def loaded(process: subprocess.Popen[str], model: Path) -> Iterator[socket.socket]:
    """A connection to a worker that was told to load a model."""
    address = model.parent / "s.9000"
    with socket.socket(socket.AF_UNIX) as connection:
        wait_for(lambda: connection.connect_ex(str(address)) == 0)
        load = field(b"answers") + field(str(model).encode()) + struct.pack("!i", 1)
        load += field(b"answers.py") + struct.pack("!i", -1) + field(b"") + b"\1"
        connection.sendall(b"L" + load)
        yield connection


@pytest.fixture
def worker(model: Path, start: Callable[..., subprocess.Popen[str]]) -> Iterator[socket.socket]:
    """A connection to a worker whose model is loaded."""
    process = start()
    with loaded(process, model) as connection:
        with connection.makefile("rb") as answers:
            assert answers.read(4) == struct.pack("!i", 200)
            assert read_field(answers) == b"loaded model answers"
            answers.read(4)
        yield connection
    process.communicate(timeout=30)  # it ends with the connection


def failure(process: subprocess.Popen[str], model: Path) -> str:
    """Why a worker does not load a model: what it prints last."""
    with loaded(process, model) as connection:
        assert connection.recv(1) == b""
        printed, _ = process.communicate(timeout=30)
    return printed.splitlines()[-1]


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


# Leaves a trace if it is run.
EVIL = "import pathlib\npathlib.Path('run').touch()\n"


def test_a_changed_model_is_not_imported(
    model: Path, start: Callable[..., subprocess.Popen[str]]
) -> None:
    (model / "MAR-INF").mkdir()
    write_sums(model)
    (model / "answers.py").write_text(EVIL + HANDLER)
    expected = "rvae.errors.FieldError: archive: answers.py is not as it was built"
    assert failure(start(), model) == expected
    assert not (model / "run").exists()


def test_nothing_of_it_is_imported_before(
    model: Path, tmp_path: Path, start: Callable[..., subprocess.Popen[str]]
) -> None:
    """Modules that Python, the worker or the library import, if they are found there."""
    (model / "MAR-INF").mkdir()
    private, public = key_pair(tmp_path, "release")
    (model / SIGNATURE_FILE).write_bytes(sign(write_sums(model), private))
    for name in ("sitecustomize", "usercustomize", "os", "zipfile", "yaml", "ts", "rvae"):
        (model / f"{name}.py").write_text(EVIL)
    message = failure(start(RVAE_TRUSTED=public.read_text()), model)
    assert message.endswith("os.py, rvae.py, sitecustomize.py and 4 more are not in its checksums")
    assert not (model / "run").exists()


def test_models_are_loaded_that_somebody_signed_who_is_trusted(
    model: Path, tmp_path: Path, start: Callable[..., subprocess.Popen[str]]
) -> None:
    private, public = key_pair(tmp_path, "release")
    trusted = {"RVAE_TRUSTED": public.read_text()}
    (model / "MAR-INF").mkdir()
    sums = write_sums(model)
    assert "it is not signed" in failure(start(**trusted), model)
    (model / SIGNATURE_FILE).write_bytes(sign(sums, private))
    for _ in range(2):  # nothing is left in the folder that would be additional
        process = start(**trusted)
        with loaded(process, model) as connection:
            assert connection.recv(4) == struct.pack("!i", 200)
        process.communicate(timeout=30)
    compiled = model / "__pycache__" / "answers.cpython-311.pyc"
    compiled.parent.mkdir()
    compiled.write_bytes(b"")
    message = failure(start(**trusted), model)
    assert message.endswith("__pycache__/answers.cpython-311.pyc is not in its checksums")


def test_a_model_brings_its_own_library(
    model: Path, start: Callable[..., subprocess.Popen[str]]
) -> None:
    """Also if that of the server has checked it."""
    (model / "rvae").mkdir()
    (model / "rvae" / "__init__.py").write_text("NAME = 'own'")
    (model / "answers.py").write_text("import rvae\nassert rvae.NAME == 'own'\n" + HANDLER)
    paths = {"PYTHONPATH": os.environ.get("PYTHONPATH", ""), "RVAE_PYTHONPATH": ""}
    with loaded(start(**paths), model) as connection:
        assert connection.recv(4) == struct.pack("!i", 200)


def test_processes_of_a_handler_find_its_modules(worker: socket.socket) -> None:
    with worker.makefile("rb") as answers:
        worker.sendall(request(b"child"))
        assert read_answer(answers) == b"found\n"
