"""What README and configurations say, held against the program."""

import json
import os
import re
import shlex
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rvae.inference.engine import Engine
from rvae.serving.contract.messages import Call
from rvae.serving.contract.options import Options
from rvae.serving.service import Limits, Service
from rvae.serving.torchserve import TorchServe
from tests.support.command_line import rvae
from tests.support.paths import ROOT

README = (ROOT / "README.md").read_text()
DOCUMENTS = [README, *(path.read_text() for path in sorted((ROOT / "docs").glob("*.md")))]
BLOCKS = [
    block
    for text in DOCUMENTS
    for block in re.findall(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
]
COMMANDS = [line for _, block in BLOCKS for line in block.splitlines() if line.startswith("rvae ")]


@cache
def options_of(command: str) -> str:
    return rvae(command, "--help", cwd=ROOT).stdout


def test_commands_have_the_options_that_they_use() -> None:
    used = {shlex.split(line)[1] for line in COMMANDS}
    assert used == {"fit", "evaluate", "score", "sample", "generate", "serve"}
    for line in COMMANDS:
        command, *rest = shlex.split(line)[1:]
        known = options_of(command)
        for word in rest:
            if word.startswith("--"):
                assert word in known, line
            elif word.endswith(".yaml"):
                assert (ROOT / word).exists(), line


def test_options_that_documents_name_exist() -> None:
    known = "".join(map(options_of, ("fit", "score", "generate", "serve")))
    for option in {option for text in DOCUMENTS for option in re.findall(r"`(--[a-z._]+)", text)}:
        assert option in known, option


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("*.yaml")), ids=lambda p: p.stem)
def test_every_configuration_is_understood(path: Path) -> None:
    done = rvae("fit", "--config", path, "--print_config", cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert f"rvae fit --config configs/{path.name}" in path.read_text()


def test_readme_answer_has_the_form_of_answers(engine: Engine, fresh: list[np.ndarray]) -> None:
    (example,) = (json.loads(block) for language, block in BLOCKS if language == "json")
    service = Service(engine, "rvae", "1.0", Limits())
    (reply,) = service.answer([Call(json.dumps({"data": fresh[0].tolist()}).encode())])

    def form(value: object) -> object:
        if isinstance(value, dict):
            return {key: form(item) for key, item in value.items()}
        return [form(value[0])] if isinstance(value, list) else type(value)

    assert form(example) == form(json.loads(reply.body))


def test_readme_names_every_field_of_a_request() -> None:
    for field in Options.model_fields:
        assert f"`{field}`" in README, field


def test_no_document_points_to_a_file_that_is_missing() -> None:
    for document in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        named = r"`((?:docs|examples|benchmarks|configs|handler|docker|model)/[\w./-]*)`"
        for path in re.findall(named, document.read_text()):
            assert (ROOT / path).exists(), f"{document.name} names {path}"


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
def test_commands_that_ask_a_server_are_answered(
    server: TorchServe, engine: Engine, tmp_path: Path
) -> None:
    """All of the README that ask for predictions, one after another."""
    (tmp_path / "logs").mkdir()
    example = json.dumps(server.example(server.archives[0]))
    (tmp_path / "logs" / "rvae-example.json").write_text(example)
    asking = [block for _, block in BLOCKS if "curl -X POST http://localhost:8080" in block]
    commands = "".join(asking).replace("\\\n", "").splitlines()
    for command in commands:
        here = command.replace("http://localhost:8080/predictions/rvae", "$URL")
        done = subprocess.run(
            f"{here} --silent --fail-with-body",
            shell=True,
            cwd=tmp_path,
            env=os.environ | {"URL": f"{server.inference}/predictions/waves"},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, (command, done.stdout)
    assert done.stdout.splitlines()[0].startswith('"series","step","score","height_expected"')
    assert len(done.stdout.splitlines()) == 1 + engine.card.window
    assert len(commands) == 3


def test_python_that_asks_a_server_gets_its_scores(
    server: TorchServe, engine: Engine, fresh: list[np.ndarray]
) -> None:
    """Of docs/requests.md, with the model and the data that are at hand."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs/requests.md").read_text(), re.DOTALL)
    windows = np.stack(fresh).astype(np.float32)
    expected = [analysis.score for analysis in engine.analyse([w.astype(float) for w in windows])]
    names: dict[str, Any] = {"given": windows}
    for code in blocks:
        for said, here in (
            ("http://localhost:8080/predictions/rvae", f"{server.inference}/predictions/waves"),
            ('np.load("demo/test.npz")["beats"][:256].astype(np.float32)', "given"),
            ("[256, 140, 2]", "list(given.shape)"),
        ):
            code = code.replace(said, here)
        exec(code, names)
        np.testing.assert_allclose(names.pop("scores"), expected, rtol=1e-4, atol=1e-5)
    assert len(blocks) == 2
