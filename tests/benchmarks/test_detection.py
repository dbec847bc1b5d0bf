"""The benchmark of detection, on files that are made here."""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.detection import __main__ as benchmark
from benchmarks.detection.choosing import choices
from benchmarks.detection.files import LabelledSeries, dataset_of, files_of, read_file
from benchmarks.detection.methods import METHODS
from benchmarks.detection.nearest_neighbours import MAX_KEPT, knn
from benchmarks.detection.records import Record, Task, append, read_records
from benchmarks.detection.running import METRICS, measured, run
from benchmarks.detection.rvae_variants import VARIANTS, variant
from benchmarks.detection.summary import best_published, difference, results_by_set
from rvae.errors import FieldError

TRAIN, POINTS, BUMP = 400, 900, slice(650, 680)
NAMES = [f"00{i}_{kind}_id_1_Facility_tr_400_1st_650.csv" for i, kind in ((1, "NAB"), (2, "UCR"))]
BASELINES = [name for name in METHODS if name not in VARIANTS]


def waves(channels: int = 1, seed: int = 0) -> NDArray[np.float64]:
    """Values (N, C): noisy waves and a constant, and in the bump another wave."""
    steps = np.arange(POINTS)[:, None] + 5 * np.arange(channels)
    values = np.sin(steps / 4) + np.random.default_rng(seed).normal(0, 0.05, steps.shape)
    values[BUMP, 0] = np.sin(steps[BUMP, 0] / 1.5)
    if channels > 1:
        values[:, -1] = 0.1
    return values


def write(folder: Path, name: str, values: NDArray[Any], anomalous: slice = BUMP) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    labels = np.zeros((len(values), 1))
    labels[anomalous] = 1
    header = ",".join([*(f"c{i}" for i in range(values.shape[1])), "Label"])
    table = np.hstack([values, labels])
    np.savetxt(folder / name, table, "%.8g", ",", header=header, comments="")
    return folder / name


def recorded(
    output: Path, method: str, file: str, seed: int = 0, error: str | None = None, **figures: float
) -> None:
    seconds = {"fit_seconds": 1.0, "score_seconds": 2.0}
    figures = {} if error else {**dict.fromkeys(METRICS, 0.5), **seconds, **figures}
    append(output, Record(Task(method, "tsb-ad-u", file, seed), figures, error))


def named(dataset: Any, number: int = 1) -> str:
    return f"{number:03}_{dataset}_id_{number}_Sensor_tr_10_1st_20.csv"


@pytest.fixture
def series(tmp_path: Path) -> LabelledSeries:
    return read_file(write(tmp_path / "tsb-ad-u", NAMES[0], waves()))


@pytest.fixture
def called(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """What a command line prints."""

    def call(*arguments: object) -> str:
        monkeypatch.setattr(sys, "argv", ["benchmark", *map(str, arguments)])
        benchmark.main()
        return capsys.readouterr().out

    return call


@pytest.mark.slow
def test_a_run_goes_on_where_it_ended_and_tries_again_what_failed(tmp_path: Path) -> None:
    data, output = tmp_path / "data", tmp_path / "output"
    output.mkdir()
    for seed, name in enumerate(NAMES):
        write(data / "tsb-ad-u", name, waves(seed=seed))
    short = write(data / "tsb-ad-u", named("SMD"), waves())
    recorded(output, "knn", NAMES[0])
    recorded(output, "knn", NAMES[1], error="broke")
    arguments = (data, output, ["tsb-ad-u"], ["knn", "window_pca"], [0], 1)
    now = {(one.task.method, one.task.file): one for one in run(*arguments)}
    assert len(now) == 5 and ("knn", NAMES[0]) not in now
    errors = {file: one.error for (_, file), one in now.items()}
    assert errors.pop(short.name) == "FieldError: series: has 10 points, a window has 64"
    assert errors == {NAMES[0]: None, NAMES[1]: None}
    short.unlink()
    assert run(*arguments) == []
    records = [one for one in read_records(output) if one.task.file == NAMES[1]]
    assert len(records) == 2 and not any(one.error for one in records)
    sizes = {"points": POINTS, "channels": 1, "train": TRAIN}
    for one in records:
        assert one.figures.keys() == {*sizes, *METRICS, "fit_seconds", "score_seconds"}
        assert one.figures.items() >= sizes.items()


def test_a_method_is_given_the_training_prefix_and_nothing_else(series: LabelledSeries) -> None:
    given: list[Any] = []

    def spy(prefix: Any, seed: int) -> Callable[..., Any]:
        given.append((prefix, seed))
        prefix[:] = 0  # nor can it spoil what it will score

        def score(values: NDArray[np.float64]) -> NDArray[np.float64]:
            given.append(values.copy())
            return values[:, 0]

        return score

    values = series.values.copy()
    measured(spy, series, 3)
    (prefix, seed), whole = given
    assert prefix.shape == (TRAIN, 1) and prefix.base is None and seed == 3
    np.testing.assert_array_equal(whole, values)


@pytest.mark.parametrize("name", ["window_pca_spread", "knn_z", "isolation_forest"])
def test_neither_labels_nor_later_points_change_what_is_learnt(
    name: str, series: LabelledSeries
) -> None:
    scores = []

    def kept(prefix: Any, seed: int) -> Any:
        score = METHODS[name](prefix, seed)
        scores.append(score(waves(seed=9)))
        return score

    measured(kept, series, 0)
    other = np.concatenate([series.values[:TRAIN], 100 * waves(seed=5)[TRAIN:]])
    measured(kept, replace(series, values=other, labels=np.roll(series.labels, -600)), 0)
    first, second = scores
    np.testing.assert_array_equal(first, second)


@pytest.mark.slow
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", BASELINES)
def test_every_baseline_finds_another_wave(name: str, channels: int, tmp_path: Path) -> None:
    series = read_file(write(tmp_path, NAMES[0], waves(channels)))
    assert measured(METHODS[name], series, 0)["auc_roc"] > 0.9


def test_a_constant_channel_that_moves_later_is_noticed(series: LabelledSeries) -> None:
    values = np.hstack([waves(), np.full((POINTS, 1), 0.1)])
    values[BUMP, 0] = np.sin(np.arange(POINTS)[BUMP] / 4)
    values[700:, 1] = 0.6
    scores = METHODS["window_pca_spread"](values[:TRAIN], 0)(values)
    assert scores[720:].min() > scores[:630].max()


def test_only_of_a_long_prefix_are_neighbours_drawn() -> None:
    values = np.random.default_rng(0).normal(size=(MAX_KEPT + 400, 1))

    def scores(points: Any, seed: int) -> Any:
        return knn(values[:points], seed)(values[:200])

    np.testing.assert_array_equal(scores(MAX_KEPT, 0), scores(MAX_KEPT, 1))
    np.testing.assert_array_equal(scores(len(values), 0), scores(len(values), 0))
    assert (scores(len(values), 0) != scores(len(values), 1)).any()


@pytest.fixture
def config(tmp_path: Path) -> Any:
    path = tmp_path / "detection.yaml"
    path.write_text(
        "data: {window: 16, validation: 0.2, calibration: 0.2}\n"
        "model: {architecture: dense, latent: 2, dense: {layers: [16]}}\n"
        "training: {epochs: 20, accelerator: cpu, quantile: 0.8}\n"
        "output: demo/elsewhere\n"
    )
    return path


@pytest.mark.slow
def test_the_library_is_a_method_like_others(
    config: Any, series: LabelledSeries, capfd: pytest.CaptureFixture[str]
) -> None:
    fit = variant({"model": {"latent": 3}}, config)
    figures = measured(fit, series, 0)
    assert figures["auc_roc"] > 0.9
    assert figures["vus_pr"] == measured(fit, series, 0)["vus_pr"]
    assert figures["vus_pr"] != measured(fit, series, 1)["vus_pr"]
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("wrong", [{"model": {"latnt": 1}}, {"data": {"window": "long"}}])
def test_a_wrong_option_of_a_variant_is_named_in_one_line(
    wrong: dict[str, Any], config: Any
) -> None:
    with pytest.raises(FieldError, match=r"^detection.yaml: .*(latnt|data.window)") as caught:
        variant(wrong, config)(waves(), 0)
    assert "\n" not in str(caught.value)


def test_a_missing_configuration_is_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(FieldError, match="missing"):
        variant({}, tmp_path / "detection.yaml")(waves(), 0)


def test_the_summary_takes_the_mean_of_seeds_and_then_of_files_that_all_have_done(
    tmp_path: Path,
) -> None:
    files = [named("A", 1), named("A", 2), named("B", 3)]
    for seed, worth in enumerate((0.2, 0.4, 0.9)):
        recorded(tmp_path, "ours", files[0], seed, vus_pr=worth)
    recorded(tmp_path, "ours", files[1], vus_pr=0.1)
    recorded(tmp_path, "ours", files[2], error="broke")
    for file in files:
        recorded(tmp_path, "theirs", file, vus_pr=0.3)
    (results,) = results_by_set(read_records(tmp_path), None)
    assert results.methods == ("ours", "theirs") and results.files == tuple(files[:2])
    np.testing.assert_allclose(results.of("ours"), [0.5, 0.1])
    assert results.lacking == {"ours": 1}
    (alone,) = results_by_set(read_records(tmp_path), ["theirs"])
    assert alone.files == tuple(files)


def test_a_difference_has_the_interval_of_its_mean() -> None:
    random = np.random.default_rng(0)
    theirs, noise = random.uniform(size=200), random.normal(0.1, 0.2, 200)
    found = difference(theirs + noise, theirs)
    error = noise.std() / np.sqrt(200)
    assert found.mean == pytest.approx(noise.mean())
    assert found.low == pytest.approx(noise.mean() - 1.96 * error, abs=error / 5)
    assert found.high == pytest.approx(noise.mean() + 1.96 * error, abs=error / 5)
    assert (found.wins, found.losses) == ((noise > 0).sum(), (noise < 0).sum())
    assert difference(theirs, theirs).wins == difference(theirs, theirs).losses == 0


def test_a_choice_is_judged_on_the_dataset_that_had_no_part_in_it(tmp_path: Path) -> None:
    worth = {"a": {"A": 1.0, "B": 0.2, "C": 0.2}, "b": {"A": 0.1, "B": 0.4, "C": 0.4}}
    for method, of_each in worth.items():
        for number, (dataset, value) in enumerate(of_each.items()):
            recorded(tmp_path, method, named(dataset, number), vus_pr=value)
    (results,) = results_by_set(read_records(tmp_path), None)
    made = choices(results, ["a", "b"])
    assert [(one.dataset, one.method, one.mean) for one in made] == [
        ("A", "b", 0.1),
        ("B", "a", 0.2),
        ("C", "a", 0.2),
    ]


def test_published_figures_are_those_of_the_same_files(tmp_path: Path) -> None:
    for number in (1, 2):
        recorded(tmp_path, "ours", named("A", number))
    rows = [("file", "X", "Y", "Z"), (named("A", 1), 0.1, 0.5, 0.2), (named("A", 2), 0.3, 0.1, 0.0)]
    table = tmp_path / "tsb-ad-u-published-vus-pr.csv"
    lines = [",".join(map(str, row)) for row in [*rows, (named("A", 3), 1, 0, 1)]]
    table.write_text("\n".join(lines))
    (results,) = results_by_set(read_records(tmp_path), None)
    found = best_published(tmp_path, results, 2)
    assert list(found) == ["Y", "X"] and found == pytest.approx({"Y": 0.3, "X": 0.2})
    table.write_text("\n".join(lines[:2]))
    with pytest.raises(FieldError, match="lacks 1 of the files"):
        best_published(tmp_path, results, 2)


def test_the_summary_prints_all_of_it_as_markdown(
    tmp_path: Path, called: Callable[..., str]
) -> None:
    for number, dataset in enumerate("AAB"):
        recorded(tmp_path, "ours", named(dataset, number), vus_pr=0.25)
        recorded(tmp_path, "theirs", named(dataset, number), vus_pr=0.5)
    rows = [f"{named(dataset, number)},0.75" for number, dataset in enumerate("AAB")]
    (tmp_path / "tsb-ad-u-published-vus-pr.csv").write_text("\n".join(["file,Best", *rows]))
    arguments = ("--against", "ours", "--published", tmp_path, "--choose", "ours", "theirs")
    printed = called("summarise", "--output", tmp_path, *arguments, "--markdown")
    table = [[cell.strip() for cell in line.split("|")[1:-1]] for line in printed.splitlines()]
    assert ["theirs", *["0.500"] * 5, "1.00", "2.00"] in table
    assert ["theirs", "+0.250", "+0.250 to +0.250", "3", "0"] in table
    assert ["method", "A (2)", "B (1)"] in table and ["ours", "0.250", "0.250"] in table
    assert ["Best", "0.750"] in table
    assert ["B (1)", "theirs", "0.500"] in table and ["all (3)", "", "0.500"] in table


def test_what_is_asked_for_and_not_there_is_named(
    tmp_path: Path, called: Callable[..., str]
) -> None:
    recorded(tmp_path, "ours", named("A"))
    with pytest.raises(SystemExit, match="rvae: has no results in tsb-ad-u: ours"):
        called("summarise", "--output", tmp_path)
    with pytest.raises(SystemExit, match=r"--methods: 'magic' is none of"):
        called("run", "--data", tmp_path, "--output", tmp_path, "--methods", "magic")
    with pytest.raises(SystemExit, match=r"--data: has no file tsb-ad-u/\*.csv"):
        called("run", "--data", tmp_path, "--output", tmp_path)


def test_files_say_what_they_are(tmp_path: Path) -> None:
    assert dataset_of("063_SMD_id_7_Facility_tr_5923_1st_6506.csv") == "SMD"
    write(tmp_path / "set", "mine.csv", waves())
    with pytest.raises(FieldError, match=r"mine.csv: must be called"):
        files_of(tmp_path, "set")
    path = write(tmp_path, named("A"), waves()[:10], slice(2, 3))
    with pytest.raises(FieldError, match="says that 10 points"):
        read_file(path)
    path.write_text("c0,Label\n1,0\nfew,1\n")
    with pytest.raises(FieldError, match="no table of numbers"):
        read_file(path)
