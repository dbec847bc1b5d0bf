"""What README, documentation and configurations say, held against the program."""

import ast
import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot

import rvae
from rvae.cli.main import COMMANDS, SERVED, SERVER
from rvae.inference.engine import Engine
from rvae.serving.contract.messages import Request
from rvae.serving.contract.options import Options
from rvae.serving.model_store import list_archives
from rvae.serving.service import Limits, Service
from rvae.serving.torchserve import Endpoint
from tests.support import command_line
from tests.support.paths import ROOT

MAX_README_LINES = 120
MAX_IMAGE_BYTES = 150_000

PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
README, CONTRIBUTING, REQUESTS = (
    (ROOT / name).read_text() for name in ("README.md", "CONTRIBUTING.md", "docs/requests.md")
)

PREDICTIONS = "curl -X POST http://localhost:8080/predictions/rvae"

# How else than by its own name a command may begin.
LAUNCHERS = r"(?:torchrun .*--no-python |(?:[A-Z_]+=\S+ )+)?"

OF_DOCKER = ("--build-arg", "--follow", "--since", "--tail")

needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")


class Block(NamedTuple):
    """A block of code of a page.

    Attributes:
        page: Where it is.
        language: As the page names it, often empty.
        code: Its lines.
    """

    page: Path
    language: str
    code: str

    @property
    def lines(self) -> list[str]:
        """Its lines, those that go on after a backslash joined."""
        return self.code.replace("\\\n", "").splitlines()


BLOCKS = [
    Block(page, language, code)
    for page in PAGES
    for language, code in re.findall(
        r"^```(\w*)\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL
    )
]


def blocks(page: str, language: str) -> list[str]:
    """Code of all blocks of a page in a language."""
    return [b.code for b in BLOCKS if b.page == ROOT / page and b.language == language]


def lines_that_begin(start: str) -> list[str]:
    """Lines of all blocks that begin so, without comments."""
    return [
        line.partition("  # ")[0]
        for block in BLOCKS
        for line in block.lines
        if re.match(start, line)
    ]


@cache
def options_of(command: str, served: bool = False) -> str:
    server = [SERVER, "http://localhost:8080"] if served else []
    done = command_line.rvae(command, *server, "--help", cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout


def same_form(example: Any, answer: Any) -> bool:
    """Whether two values from JSON have the same keys, and values of the same types."""

    def form(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: form(item) for key, item in value.items()}
        return [form(value[0])] if isinstance(value, list) else type(value)

    return bool(form(example) == form(answer))


def test_commands_have_the_options_that_they_use() -> None:
    commands = lines_that_begin(rf"{LAUNCHERS}rvae ")
    used = set()
    for line in commands:
        command, *rest = shlex.split(re.sub(f"^{LAUNCHERS}rvae ", "", line))
        used.add(command)
        known = options_of(command, served=SERVER in rest)
        for word in rest:
            if word.startswith("--"):
                assert word in known, line
            elif word.endswith(".yaml"):
                assert (ROOT / word).exists(), line
    assert used == set(COMMANDS)


def test_commands_that_are_scripts_exist_and_have_the_options_that_they_use() -> None:
    lines = lines_that_begin(r"\./archive\.sh |python ")
    assert {shlex.split(line)[0] for line in lines} == {"./archive.sh", "python"}
    for line in lines:
        program, *rest = shlex.split(line)
        if rest[0] == "-m":
            script = ROOT.joinpath(*rest[1].split("."), "__main__.py")
        else:
            script = ROOT / (rest[0] if program == "python" else program)
        assert script.is_file(), line
        if program == "python" and "benchmarks" in script.parts:
            for word in rest:
                assert not word.startswith("--") or f'"{word}"' in script.read_text(), line
        if program == "./archive.sh":
            for word in rest:
                assert not word.startswith("--") or word in options_of("archive"), line


def test_options_that_documents_name_exist() -> None:
    paths = [*(ROOT / "examples").glob("*.py"), ROOT / "benchmarks" / "serving" / "__main__.py"]
    scripts = (path.read_text() for path in paths)
    served = (options_of(command, served=True) for command in SERVED)
    known = "".join([*OF_DOCKER, "--version", *map(options_of, COMMANDS), *served, *scripts])
    for page in PAGES:
        for option in set(re.findall(r"`(--[a-z._]+)", page.read_text())):
            assert option in known, f"{page.name} names {option}"


def test_modules_that_documents_name_exist() -> None:
    """In the changelog only what it calls new."""
    for page in PAGES:
        text = page.read_text()
        if page.name == "CHANGELOG.md":
            text = "\n".join(re.findall(r"^  \|.*\|(.*)\|$", text, re.MULTILINE))
        for name in set(re.findall(r"`(rvae(?:\.[a-z_]+)+)`", text)):
            parts = name.split(".")
            if parts[1:] and parts[1] in rvae.__all__:
                continue
            module = (ROOT / "model").joinpath(*parts)
            assert module.is_dir() or module.with_suffix(".py").is_file(), f"{page.name}: {name}"


def test_tests_that_documents_name_exist() -> None:
    named = {
        reference
        for page in PAGES
        for reference in re.findall(r"`(tests/\S+::\w+)`", page.read_text())
    }
    assert len(named) > 40
    for reference in named:
        path, name = reference.split("::")
        assert re.search(rf"^def {name}\(", (ROOT / path).read_text(), re.MULTILINE), reference


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("*.yaml")), ids=lambda p: p.stem)
def test_every_configuration_is_understood(path: Path) -> None:
    done = command_line.rvae("fit", "--config", path, "--print_config", cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert f"rvae fit --config configs/{path.name}" in path.read_text()


def test_answers_in_documents_have_the_form_of_answers(
    engine: Engine, fresh: list[np.ndarray]
) -> None:
    examples = [json.loads(block.code) for block in BLOCKS if block.language == "json"]
    assert len(examples) == 2
    service = Service(engine, "rvae", "1.0", Limits())
    (reply,) = service.answer([Request(json.dumps({"data": fresh[0].tolist()}).encode())])
    for example in examples:
        assert same_form(example, json.loads(reply.body))


def test_the_documentation_of_requests_names_every_field() -> None:
    for field in Options.model_fields:
        assert f"`{field}`" in REQUESTS, field


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) <= MAX_README_LINES


def test_every_page_of_the_documentation_can_be_found_from_the_readme() -> None:
    for page in PAGES[1:]:
        assert f"]({page.relative_to(ROOT)})" in README, page.name


def links(page: Path) -> Iterator[str]:
    """Targets of the links and images of a page that are relative."""
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if not re.match(r"https?://|#", target):
            yield target.partition("#")[0]


def test_no_document_points_to_a_file_that_is_missing() -> None:
    folders = "docs|examples|benchmarks|configs|handler|docker|model"
    for page in PAGES:
        for target in links(page):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
        for path in re.findall(rf"`((?:{folders})/[\w./-]*)`", page.read_text()):
            assert (ROOT / path).exists(), f"{page.name} names {path}"


def test_images_are_shown_and_small() -> None:
    images = {
        (page.parent / target).resolve()
        for page in PAGES
        for target in links(page)
        if "images/" in target
    }
    files = sorted((ROOT / "docs" / "images").iterdir())
    assert set(files) == images
    for file in files:
        assert file.stat().st_size < MAX_IMAGE_BYTES, file.name


def test_commands_of_make_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    (first, *_) = blocks("CONTRIBUTING.md", "")
    assert first.splitlines() == ["make install", "make test", "make lint"]
    for page in PAGES:
        for target in re.findall(r"(?:^|`)make ([a-z]+)", page.read_text(), re.MULTILINE):
            assert target in targets, f"{page.name} names make {target}"


def recipes() -> dict[str, str]:
    """The recipes of CONTRIBUTING.md: title and text."""
    _, text = CONTRIBUTING.split("\n## Recipes\n")
    _, *parts = re.split(r"^### (.*)\n", text, flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))


def unindented(code: str) -> str:
    """Code without blank lines and without indentation."""
    return "\n".join(line.strip() for line in code.splitlines() if line.strip())


@pytest.mark.parametrize("title", sorted(recipes()))
def test_the_code_of_a_recipe_is_that_of_its_test(title: str) -> None:
    text = recipes()[title]
    test, *_ = re.findall(r"`(tests/[\w/]+\.py)`", text)
    carried_out = unindented((ROOT / test).read_text())
    code = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert code
    for block in code:
        ast.parse(block)
        assert unindented(block) in carried_out, f"{test} has other code than CONTRIBUTING.md"


def test_there_is_a_recipe_for_everything_that_is_chosen_by_name() -> None:
    assert set(recipes()) == {
        "An encoder",
        "A likelihood",
        "A score",
        "An output",
        "A reader",
    }


@needs_curl
def test_commands_that_ask_a_server_are_answered(
    server: Endpoint, store: Path, engine: Engine, tmp_path: Path
) -> None:
    """All of README and documentation that ask for predictions, one after another."""
    (tmp_path / "logs").mkdir()
    example = json.dumps(server.torchserve.example(list_archives(store)[0]))
    (tmp_path / "logs" / "rvae-example.json").write_text(example)
    commands = lines_that_begin(re.escape(PREDICTIONS))
    assert README.count(PREDICTIONS) == 1
    assert len(commands) == 4
    for command in commands:
        here = command.replace("http://localhost:8080/predictions/rvae", "$URL")
        done = subprocess.run(
            f"{here} --silent --fail-with-body",
            shell=True,
            cwd=tmp_path,
            env=os.environ | {"URL": f"{server.url}/predictions/waves"},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, (command, done.stdout)
        if "rvae-example.json" in command:
            for block in BLOCKS:
                if block.language == "json":
                    assert same_form(json.loads(block.code), json.loads(done.stdout))
    assert done.stdout.splitlines()[0].startswith('"series","step","score","height_expected"')
    assert len(done.stdout.splitlines()) == 1 + engine.card.window


@needs_curl
def test_commands_that_manage_a_server_are_answered(server: Endpoint, tmp_path: Path) -> None:
    """Those that change nothing; the others name an archive that is not there."""
    commands = {
        line
        for line in lines_that_begin("curl ")
        if " -X " not in line and not re.search(r"localhost:(8080|8443)", line)  # of clients
    }
    assert commands == {
        "curl --unix-socket logs/management.sock 'http://localhost/models/rvae?customized=true'",
        "curl http://localhost:8081/metrics",
    }
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "management.sock").symlink_to(server.management)
    for command in commands:
        here = command.replace("http://localhost:8081/metrics", server.metrics)
        done = subprocess.run(
            here.replace("models/rvae", "models/waves") + " --silent --fail",
            shell=True,
            cwd=tmp_path,
        )
        assert done.returncode == 0, command


def test_python_of_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (code,) = blocks("README.md", "python")
    steps = np.arange(1500)
    frame = pd.DataFrame(
        {"time": pd.date_range("2026-01-01", periods=1500, freq="min"), "heat": np.sin(steps / 5)}
    ).assign(anomaly=0)
    frame.to_csv(tmp_path / "machine.csv", index=False)
    monkeypatch.chdir(tmp_path)
    short = 'label="anomaly", training={"epochs": 1}'
    names: dict[str, Any] = {}
    pyplot.switch_backend("agg")
    exec(code.replace('label="anomaly"', short), names)
    pyplot.close("all")
    assert {"score", "threshold", "is_anomaly", "heat_lower"} <= set(names["scores"])
    assert len(names["scores"]) == 1500 and len(names["axes"]) == 2
    assert (tmp_path / "machine.ckpt").exists()
    assert (tmp_path / "model_store" / "machine-1.0.mar").exists()


def test_python_that_looks_at_latents_runs(
    checkpoint: Path, fresh: list[np.ndarray], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (code,) = blocks("docs/latents.md", "python")
    np.savez(tmp_path / "test.npz", images=np.stack(fresh), digit=np.arange(60) % 3)
    for path, here in (
        ("demo/digits/model.ckpt", checkpoint),
        ("demo/digits-test.npz", tmp_path / "test.npz"),
    ):
        assert path in code
        code = code.replace(path, str(here))
    exec(code, {})
    said = capsys.readouterr().out
    assert "ari=" in said and "raw windows 0." in said and "level shift 0." in said


def test_python_that_asks_a_server_gets_its_scores(
    server: Endpoint, engine: Engine, fresh: list[np.ndarray]
) -> None:
    """Of docs/requests.md, with the model and the data that are at hand."""
    windows = np.stack(fresh).astype(np.float32)
    expected = [analysis.score for analysis in engine.analyse([w.astype(float) for w in windows])]
    names: dict[str, Any] = {"at_hand": windows}
    code_blocks = blocks("docs/requests.md", "python")
    for code in code_blocks:
        for documented, here in (
            ("http://localhost:8080/predictions/rvae", f"{server.url}/predictions/waves"),
            ('np.load("demo/test.npz")["beats"][:256].astype(np.float32)', "at_hand"),
            ("[256, 140, 2]", "list(at_hand.shape)"),
            ('"localhost:8080"', repr(urlsplit(server.url).netloc)),
            ('client.infer("rvae"', 'client.infer("waves"'),
        ):
            code = code.replace(documented, here)
        exec(code, names)
        np.testing.assert_allclose(names.pop("scores"), expected, rtol=1e-4, atol=1e-5)
    assert len(code_blocks) == 2
