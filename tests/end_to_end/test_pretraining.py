"""The experiment on pretraining: what it compares, and that it runs."""

import csv
from copy import deepcopy
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from examples.labelled_sets import from_archive
from examples.packages import Package
from examples.pretraining import (
    SHARES,
    STARTS,
    TEST,
    Classifier,
    Result,
    difference,
    draw_labels,
    learn,
    main,
    make_classifier,
)
from rvae.config import RecurrentConfig
from rvae.networks.recurrent import RecurrentEncoder

CLASSES = np.repeat([0, 1, 2], [120, 60, 20])
TRAINING = np.arange(0, 200, 2)  # 60, 30 and 10 series of a class


def write_archive(folder: Path) -> None:
    """Rising series of class 1 and falling ones of class 2; those for testing are longer."""
    random = np.random.default_rng(0)
    for part, steps in (("TRAIN", 7), ("TEST", 8)):
        slopes = np.tile([1, -1], 40)[:, None] * np.linspace(-1, 1, steps)
        rows = np.insert(slopes + random.normal(0, 0.3, slopes.shape), 0, np.tile([1, 2], 40), 1)
        np.savetxt(folder / f"Slopes_{part}.tsv", rows, "%.4f", "\t")


@pytest.mark.slow
def test_a_quick_run_compares_all_starts_and_draws_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_archive(tmp_path)
    options = ["--data", str(tmp_path), "--sets", "Slopes", "--quick", "--jobs", "1"]
    monkeypatch.setattr("sys.argv", ["pretraining.py", str(tmp_path / "results"), *options])
    main()
    assert "Slopes" in capsys.readouterr().out
    rows = list(csv.DictReader((tmp_path / "results" / "pretraining.csv").read_text().splitlines()))
    assert len(rows) == 2 * len(SHARES) * len(STARTS)
    assert {row["start"] for row in rows} == set(STARTS)
    assert {int(row["labels"]) for row in rows} == {4, 6, 24, 120}
    assert max(float(row["accuracy"]) for row in rows) > 0.9
    picture = (tmp_path / "results" / "pretraining.svg").read_text()
    assert all(start in picture for start in ("Slopes", "labels", "pretrained", "frozen"))


def test_a_set_of_the_archive_is_put_together_and_padded(tmp_path: Path) -> None:
    write_archive(tmp_path)
    slopes = from_archive(tmp_path, "Slopes")
    assert slopes.values.shape == (160, 8, 1)
    assert np.isnan(slopes.values).sum() == 80
    assert np.isnan(slopes.values[:80, -1]).all()
    np.testing.assert_array_equal(slopes.classes, np.tile([0, 1], 80))
    with pytest.raises(SystemExit, match="Ramps_TRAIN and Ramps_TEST"):
        from_archive(tmp_path, "Ramps")


def test_a_package_that_was_changed_is_refused(tmp_path: Path) -> None:
    (tmp_path / "some.whl").write_bytes(b"changed")
    with pytest.raises(SystemExit, match=r"some\.whl is not the file that is expected"):
        Package("some==1.0", "some.whl", "0" * 64).fetch(tmp_path)


def test_every_class_has_its_share_of_the_labels_and_a_quarter_of_it_is_for_validation() -> None:
    learning, validation = draw_labels(CLASSES, TRAINING, 0.4, seed=0)
    assert set(learning) | set(validation) <= set(TRAINING)
    assert not set(learning) & set(validation)
    np.testing.assert_array_equal(np.bincount(CLASSES[validation]), [6, 3, 1])
    np.testing.assert_array_equal(np.bincount(CLASSES[learning]), [18, 9, 3])


def test_few_labels_are_two_of_each_class() -> None:
    for part in draw_labels(CLASSES, TRAINING, 0.001, seed=0):
        np.testing.assert_array_equal(np.bincount(CLASSES[part]), [1, 1, 1])


def test_a_smaller_share_is_part_of_a_larger_one() -> None:
    drawn = [np.concatenate(draw_labels(CLASSES, TRAINING, share, seed=3)) for share in SHARES]
    for fewer, more in pairwise(map(set, drawn)):
        assert fewer < more
    np.testing.assert_array_equal(np.sort(drawn[-1]), TRAINING)
    other = np.concatenate(draw_labels(CLASSES, TRAINING, 0.2, seed=4))
    assert set(other) != set(drawn[2])


def forget_biases(encoder: RecurrentEncoder) -> Tensor:
    return encoder.layers.get_parameter("bias_ih_l0").chunk(4)[1].detach()


def test_starts_differ_in_the_encoder_alone() -> None:
    x = torch.zeros(4, 30, 2)
    pretrained = RecurrentEncoder(RecurrentConfig(), 2, 30).requires_grad_(False)  # as it is loaded
    made = {}
    for start in STARTS:
        torch.manual_seed(0)
        made[start] = make_classifier(start, pretrained, x, 3)
    assert all(weights.requires_grad for c in made.values() for weights in c.parameters())
    heads = [c.head if isinstance(c, Classifier) else c for c in made.values()]
    weights = [head.get_parameter("weight") for head in heads]
    assert all(torch.equal(weights[0], others) for others in weights)
    encoders = {name: c.encoder for name, c in made.items() if isinstance(c, Classifier)}
    forget = {name: forget_biases(encoder) for name, encoder in encoders.items()}
    assert set(encoders) == set(STARTS) - {"frozen"}
    assert torch.equal(forget["pretrained"], forget_biases(pretrained))
    assert encoders["pretrained"] is not pretrained  # which the next start needs as it was
    assert forget["rvae's start"].min() >= 0 and forget["rvae's start"].max() > 2
    assert forget["PyTorch's start"].abs().max() <= 1 / 8  # 1 / sqrt(hidden)


def test_learning_keeps_the_step_that_validation_prefers() -> None:
    x = torch.eye(2)
    y = torch.tensor([0, 1])
    # For 40 steps the classes are as in validation, then for ever longer the other way round.
    batches = np.tile([0, 1], (40, 1))
    turned = np.tile([2, 3], (200, 1))
    x, y = torch.cat([x, x]), torch.cat([y, 1 - y])
    torch.manual_seed(0)
    classifier = nn.Linear(2, 2)
    misled = deepcopy(classifier)
    learn(classifier, x, y, np.concatenate([batches, turned]), np.array([0, 1]))
    learn(misled, x, y, np.concatenate([batches, turned]), np.array([2, 3]))
    assert classifier(x[:2]).argmax(1).tolist() == [0, 1]
    assert misled(x[:2]).argmax(1).tolist() == [1, 0]


def test_a_difference_is_paired_by_seed_and_its_interval_allows_for_shared_series() -> None:
    first, second = (0.9, 0.8, 0.85), (0.8, 0.78, 0.79)  # apart by 0.1, 0.02 and 0.06
    results = [
        Result("some", seed, 0.1, 10, start, accuracies[seed])
        for seed in (2, 0, 1)
        for start, accuracies in (("frozen", first), ("pretrained", second))
    ]
    mean, width = difference(results, "frozen", "pretrained")
    assert mean == pytest.approx(0.06)
    # Student's t with two degrees of freedom: 4.3027 at 97.5 %.
    assert width == pytest.approx(4.3027 * 0.04 * np.sqrt(1 / 3 + TEST / (1 - TEST)), rel=1e-4)
