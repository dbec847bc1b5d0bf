"""Wrong command lines, and what is said of each."""

from pathlib import Path

import pytest
from jsonargparse import ArgumentParser, auto_parser

from rvae._version import __version__
from rvae.cli.main import COMMANDS
from rvae.cli.parser import CommandParser
from tests.support.command_line import rvae

WRONG = {
    "rvae": "a command is missing",
    "rvae trian": "trian: no such command: did you mean fit?",
    "rvae sarve": "sarve: no such command: did you mean serve?",
    "rvae --confg": "--confg: no such option: did you mean --config?",
    "rvae fit": "--data.path: is missing",
    "rvae score model.ckpt": "data, output: are missing",
    "rvae archive": "checkpoint: is missing",
    "rvae fit --window 64": "--window: no such option: did you mean --data.window?",
    "rvae fit --data.path": "--data.path: needs a value",
    "rvae fit --data.path a --data.path b": "--data.path: is given twice, as 'a' and as 'b'",
    "rvae fit --data.window x": "--data.window: must be a whole number, got 'x'",
    "rvae fit --training.epochs 1.5": "--training.epochs: must be a whole number, got '1.5'",
    "rvae fit --data.units C": "--data.units: must be a mapping such as {name: text}, got 'C'",
    "rvae fit --data.split tme": (
        "--data.split: must be one of auto, time, random, order, got 'tme': did you mean time?"
    ),
    "rvae fit --model.dense.layers 8,a": (
        "--model.dense.layers: must be a list such as [1, 2], got 'a'"
    ),
    "rvae fit --data m.csv": (
        "--data: 'm.csv' is not a YAML file with the options of this section: --data.path, "
        "--data.window, --data.stride, --data.split, …"
    ),
    "rvae fit --config hiden.yaml": (
        "model.recurrent.hiden: no such option: did you mean model.recurrent.hidden?"
    ),
    "rvae fit --config section.yaml": (
        "trianing.epochs: no such option: did you mean training.epochs?"
    ),
    "rvae fit --config value.yaml": (
        "--data.window: must be a whole number, got 'x' (in value.yaml)"
    ),
    "rvae fit --config list.yaml": (
        "--reader.columns: must be a list such as [a, b], got 'heat' (in list.yaml)"
    ),
    "rvae fit --config broken.yaml": (
        "--config: is not YAML: line 2, column 1: did not find expected node content "
        "(in broken.yaml)"
    ),
    "rvae fit --config text.yaml": (
        "--config: holds no options as 'name: value', but 'hello' (in text.yaml)"
    ),
    "rvae score a -o b": "-o: no such option",
    "rvae score a b c d": "d: more arguments than this command takes",
    "rvae serve --port x": "--port: must be a whole number, got 'x'",
}
FILES = {
    "hiden.yaml": "data: {path: m.csv}\nmodel: {recurrent: {hiden: 3}}\n",
    "section.yaml": "data: {path: m.csv}\ntrianing: {epochs: 3}\n",
    "value.yaml": "data: {path: m.csv, window: x}\n",
    "list.yaml": "data: {path: m.csv}\nreader: {columns: heat}\n",
    "broken.yaml": "data: [\n",
    "text.yaml": "hello\n",
}


@pytest.fixture(scope="module")
def parser() -> ArgumentParser:
    """The parser of all commands, which takes long to make."""
    return auto_parser(COMMANDS, prog="rvae", parser_class=CommandParser)


@pytest.mark.parametrize("line", WRONG)
def test_a_wrong_command_line_is_explained_in_two_lines(
    parser: ArgumentParser,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    line: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, content in FILES.items():
        Path(name).write_text(content)
    words = line.split()[1:]
    with pytest.raises(SystemExit) as ended:
        parser.parse_args(words)
    assert ended.value.code == 2
    command = " ".join(["rvae", *(word for word in words[:1] if word in COMMANDS)])
    assert capsys.readouterr() == ("", f"rvae: {WRONG[line]}\nsee {command} --help\n")


def test_a_configuration_that_is_not_there_is_named(
    parser: ArgumentParser, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parser.parse_args(["fit", "--config", str(tmp_path / "none.yaml")])
    (line, _) = capsys.readouterr().err.splitlines()
    assert line == f"rvae: --config: no such file: {tmp_path / 'none.yaml'}"


def test_flags_and_lists_may_be_written_plainly(parser: ArgumentParser) -> None:
    for flag in (["--points"], ["--points", "true"], ["--points=yes"]):
        parsed = parser.parse_args(["score", *flag, "m.ckpt", "d.csv", "o.csv"])
        assert parsed.score.points is True and parsed.score.checkpoint == Path("m.ckpt")
    assert not parser.parse_args(["score", "--points=false", "a", "b", "c"]).score.points
    fit = ["fit", "--data.path", "m.csv", "--model.time.bypass", "--reader.columns"]
    for names, columns in (("heat", ["heat"]), ("heat,1", ["heat", "1"]), ("[a]", ["a"])):
        parsed = parser.parse_args([*fit, names]).fit
        assert list(parsed.reader.columns) == columns and parsed.model.time.bypass is True


def test_the_help_shows_that_a_flag_needs_no_value(
    parser: ArgumentParser, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parser.parse_args(["score", "--help"])
    assert "--points [{true,false}]" in capsys.readouterr().out


def test_the_version_is_told(tmp_path: Path) -> None:
    done = rvae("--version", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"rvae {__version__}\n")
