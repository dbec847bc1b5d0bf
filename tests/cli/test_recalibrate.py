"""The command `rvae recalibrate`."""

import json
import shlex
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from rvae.cli.info import info
from rvae.cli.recalibrate import recalibrate
from rvae.errors import FieldError
from rvae.inference.artifact import Artifact
from rvae.serving.integrity import TrustedKeys, require_intact
from rvae.serving.packaging import build_archive
from tests.support.archives import key_pair
from tests.support.command_line import rvae
from tests.support.paths import ROOT

STEPS, BUMPS = 3200, (500, 1500, 2500)


def running_wave(bumps: tuple[int, ...] = ()) -> NDArray[np.float64]:
    """A wave like those of training, with bumps of six steps."""
    random = np.random.default_rng(0)
    values = 20 + 3 * np.sin(np.arange(STEPS) * 2 * np.pi / 32) + random.normal(0, 0.15, STEPS)
    for first in bumps:
        values[first : first + 6] = 40 - values[first : first + 6]
    return values


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with three events, and one without."""
    folder = tmp_path_factory.mktemp("data")
    np.save(folder / "new.npy", running_wave(BUMPS))
    np.save(folder / "calm.npy", running_wave())
    return folder


def test_the_example_of_the_documentation(checkpoint: Path, data: Path, tmp_path: Path) -> None:
    """Its commands, with the judgement of a person between them."""
    (tmp_path / "runs" / "machine").mkdir(parents=True)
    shutil.copy(checkpoint, tmp_path / "runs" / "machine" / "model.ckpt")
    pd.DataFrame({"height": np.load(data / "new.npy")}).to_csv(tmp_path / "week.csv", index=False)
    page = (ROOT / "docs" / "detection.md").read_text()
    _, section = page.split("## Feedback\n")
    first, second = section.split("```\n")[1].splitlines()
    done = rvae(*shlex.split(first)[1:], cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    events = pd.read_csv(tmp_path / "events.csv")
    found = [events[(events["start"] < at + 6) & (events["end"] > at)] for at in BUMPS]
    assert [len(one) for one in found] == [1, 1, 1]
    events["verdict"] = "false alarm"
    events.loc[found[0].index, "verdict"] = "confirmed"
    events.loc[found[2].index, "verdict"] = None
    events.to_csv(tmp_path / "judged.csv", index=False)
    done = rvae(*shlex.split(second)[1:], "--alarms", "1 per 3000 steps", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "independent blocks, added." in done.stdout
    false_alarms = f"0 of {len(events) - 2} false alarm{'s' * (len(events) != 3)}"
    assert f"Still flagged: {false_alarms} and 1 of 1 confirmed event." in done.stdout
    assert "Left out: 1 event that nobody has judged." in done.stdout
    assert done.stdout.endswith("Saved runs/machine/model-recalibrated.ckpt\n")
    artifact = Artifact.load(tmp_path / "runs" / "machine" / "model-recalibrated.ckpt")
    (change,) = artifact.card.history
    assert change.data == "week.csv" and change.asked_alarms == "1 per 3000 steps"
    assert (change.confirmed, change.unjudged) == (1, 1)
    assert change.false_alarms == len(events) - 2
    assert artifact.card.calibration.threshold() == change.threshold
    assert artifact.checksum == Artifact.load(checkpoint).checksum


def test_data_of_another_scale_is_told_from_the_old(
    checkpoint: Path, data: Path, tmp_path: Path
) -> None:
    loud = 20 + 1.5 * (np.load(data / "calm.npy") - 20)
    np.save(tmp_path / "loud.npy", loud)
    for options, told in (([], True), (["--replace"], False)):
        done = rvae(
            "recalibrate", checkpoint, "loud.npy", "--output=n.ckpt", *options, cwd=tmp_path
        )
        assert done.returncode == 0, done.stderr
        assert ("use --replace" in done.stdout) == told
        assert "where at most 2.00% were promised" in done.stdout


def test_a_quantile_that_was_lowered_is_told(checkpoint: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "short.npy", running_wave()[:200])
    done = rvae(
        *("recalibrate", checkpoint, "short.npy", "--replace", "--output", "n.ckpt"), cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert "quantile 0.98 was asked for, which needs 49 blocks" in done.stdout


def test_a_folder_stays_a_model_that_every_command_takes(
    checkpoint: Path, data: Path, tmp_path: Path
) -> None:
    Artifact.load(checkpoint).save(tmp_path / "served")
    done = rvae("recalibrate", "served", data / "calm.npy", cwd=tmp_path)
    assert done.stdout.endswith("Saved served-recalibrated.ckpt\n"), done.stderr
    done = rvae("info", "served-recalibrated.ckpt", cwd=tmp_path)
    (line,) = [one for one in done.stdout.splitlines() if one.startswith("recalibrated")]
    assert "of calm.npy added; threshold " in line and " at quantile 0.98 became " in line


def test_an_archive_gives_an_archive_of_another_version(
    checkpoint: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = build_archive(checkpoint, "waves", "1.0", tmp_path / "store")
    content = old.read_bytes()
    recalibrate(old, data / "calm.npy", version="1.1", quantile=0.9)
    new = tmp_path / "store" / "waves-1.1.mar"
    assert old.read_bytes() == content
    assert sorted(path.name for path in new.parent.iterdir()) == ["waves-1.0.mar", "waves-1.1.mar"]
    with zipfile.ZipFile(old) as one, zipfile.ZipFile(new) as two:
        assert one.namelist() == two.namelist()
        changed = {name for name in one.namelist() if one.read(name) != two.read(name)}
    listed = {"MAR-INF/MANIFEST.json", "MAR-INF/SHA256SUMS"}
    assert changed == {"card.json", "golden.json", *listed}
    capsys.readouterr()
    info(new, json=True)
    described = json.loads(capsys.readouterr().out)
    assert (described["name"], described["version"]) == ("waves", "1.1")
    (change,) = described["history"]
    assert change["quantile"] == 0.9 and change["data"] == "calm.npy"
    assert described["threshold"] == change["threshold"] != change["threshold_before"]
    recalibrate(new, data / "calm.npy", output=tmp_path / "deep" / "any.mar", version="2")
    recalibrate(new, data / "calm.npy", output=tmp_path / "any.ckpt")
    loaded = [Artifact.load(tmp_path / name).card for name in ("deep/any.mar", "any.ckpt")]
    assert [len(card.history) for card in loaded] == [2, 2]
    assert loaded[0].calibration.threshold() == loaded[1].calibration.threshold()


def test_the_model_itself_is_overwritten_only_if_it_is_named(
    checkpoint: Path, data: Path, tmp_path: Path
) -> None:
    model = tmp_path / "model.ckpt"
    shutil.copy(checkpoint, model)
    recalibrate(model, data / "calm.npy")
    assert model.read_bytes() == checkpoint.read_bytes()
    with pytest.raises(FieldError, match=r"is needed, as there is a file already: .*recalibrated"):
        recalibrate(model, data / "calm.npy")
    recalibrate(model, data / "calm.npy", output=model)
    assert len(Artifact.load(model).card.history) == 1


JUDGED = "series,start,end,verdict\n0,500,506,confirmed\n"


@pytest.mark.parametrize(
    ("options", "events", "field"),
    [
        ({"output": "n.txt"}, None, "output"),
        ({"output": "n.mar"}, None, "output"),
        ({"output": "."}, None, "output"),
        ({"version": "2"}, None, "version"),
        ({"quantile": 0.99999}, None, "quantile"),
        ({"quantile": 0.9, "alarms": "1 per day"}, None, "alarms"),
        ({"alarms": "1 per day"}, None, "alarms"),
        ({"label": "fault"}, None, "label"),
        ({"data": "absent.npy"}, None, "data"),
        ({"data": "tiny.npy"}, None, "data"),
        ({"data": "none.npy"}, None, "data"),
        ({"data": "missing.npy"}, None, "data"),
        ({}, "", "events"),
        ({}, JUDGED.replace("confirmed", "maybe"), "events"),
        ({}, JUDGED.replace("506", "5060"), "events"),
        ({}, JUDGED.replace("0,500", "pump,500"), "events"),
        ({}, JUDGED.replace("500", "nan"), "events"),
        ({}, JUDGED.replace("500,506", "0,3200"), "data"),
    ],
)
def test_nothing_is_written_if_something_is_wrong(
    checkpoint: Path,
    data: Path,
    tmp_path: Path,
    options: dict[str, object],
    events: str | None,
    field: str,
) -> None:
    shutil.copy(checkpoint, tmp_path / "model.ckpt")
    shutil.copy(data / "new.npy", tmp_path)
    np.save(tmp_path / "tiny.npy", running_wave()[:20])
    np.save(tmp_path / "none.npy", running_wave()[:0])
    np.save(tmp_path / "missing.npy", np.full(100, np.nan))
    if events is not None:
        (tmp_path / "judged.csv").write_text(events)
        options = {"events": "judged.csv", **options}
    before = sorted(tmp_path.rglob("*"))
    named = [f"--{name}={value}" for name, value in options.items() if name != "data"]
    source = options.get("data", "new.npy")
    done = rvae("recalibrate", "model.ckpt", source, *named, cwd=tmp_path)
    assert done.returncode == 1 and done.stderr.startswith(f"rvae: {field}: "), done.stderr
    assert sorted(tmp_path.rglob("*")) == before


def test_a_new_archive_can_be_signed(store: Path, data: Path, tmp_path: Path) -> None:
    private, public = key_pair(tmp_path, "release")
    new = tmp_path / "new.mar"
    recalibrate(store / "waves-1.0.mar", data / "calm.npy", output=new, version="2", sign=private)
    assert require_intact(new, TrustedKeys.read(public)).is_signed
    with pytest.raises(FieldError, match="sign: is only valid for an archive"):
        recalibrate(
            store / "waves-1.0.mar", data / "calm.npy", output=tmp_path / "n.ckpt", sign=private
        )


@pytest.mark.parametrize("version", [None, "1.0"])
def test_an_archive_needs_a_new_version(
    store: Path, data: Path, tmp_path: Path, version: str | None
) -> None:
    with pytest.raises(FieldError, match=r"must be a new one: waves-1\.0\.mar is version 1\.0"):
        recalibrate(
            store / "waves-1.0.mar", data / "calm.npy", output=tmp_path / "n.mar", version=version
        )
    with pytest.raises(FieldError) as caught:
        recalibrate(store / "waves-1.0.mar", data / "calm.npy", version=version)
    assert caught.value.field == "version"
    assert not list(tmp_path.iterdir())
