"""The command `rvae fit`: from a file to a checkpoint."""

from pathlib import Path

from rvae.cli.promise import promise_sentences
from rvae.config import (
    DataConfig,
    ModelConfig,
    ObjectiveConfig,
    ReaderConfig,
    ScoringConfig,
    TrainingConfig,
    TrainingPlan,
)

__all__ = ["INTERRUPTED", "fit"]

INTERRUPTED = 130
MIN_EXPLAINED_VARIANCE = 0.05


def fit(
    data: DataConfig,
    output: Path = Path("runs/latest"),
    reader: ReaderConfig = ReaderConfig(),
    model: ModelConfig = ModelConfig(),
    objective: ObjectiveConfig = ObjectiveConfig(),
    scoring: ScoringConfig = ScoringConfig(),
    training: TrainingConfig = TrainingConfig(),
    resume: bool = False,
) -> int:
    """Train a model on a file and write OUTPUT/model.ckpt, with everything that serving needs.

    Args:
        output: Folder for the checkpoint, the TensorBoard logs and the state of training.
        resume: Go on after the last whole epoch of an earlier training with this output.
    """
    from rvae.data.holes import short_pieces
    from rvae.data.readers import read
    from rvae.evaluation.reliability_text import check_sentences
    from rvae.training.fit import fit
    from rvae.training.preflight import require_machine, require_valid_choices

    plan = TrainingPlan(data, model, objective, scoring, training)
    # Before a large file is read.
    require_valid_choices(plan)
    require_machine(training)
    dataset = read(data.path, reader)
    result = fit(dataset, plan, output, resume=resume)
    if not result.is_leader:
        return 0
    card = result.card
    if result.interrupted:
        print("Interrupted: this is the model so far.", end=" ")
        if result.resumable:
            print("Resume after the last whole epoch with --resume.", end="")
        print()
    if dataset.source.ignore:
        print(f"Left out: {', '.join(map(repr, dataset.source.ignore))}.")
    for note in (*dataset.notes, *short_pieces(dataset.series, card.window)):
        print(note)
    windows = ", ".join(f"{count} for {part}" for part, count in card.training["windows"].items())
    print(f"Channels {', '.join(card.channels)}. Windows of {card.window} steps: {windows}.")
    print(
        f"Best of epoch {card.training['epoch'] + 1}: explains "
        f"{card.training['explained_variance']:.1%} of the variance of held-out windows with "
        f"{card.training['active_units']} of {model.latent} latent units active, "
        f"at {sum(card.training['kl']):.1f} nats per window."
    )
    # With the class or the time as input, a decoder may explain much without its latent.
    if (
        card.training["explained_variance"] < MIN_EXPLAINED_VARIANCE
        or not card.training["active_units"]
    ):
        print("Warning: explains little more than the mean window. Train longer, or on more data.")
    for sentence in promise_sentences(card, training.quantile, training.alarms):
        print(sentence)
    for sentence in check_sentences(card.calibration, card.interval):
        print(sentence)
    print(f"Saved {result.checkpoint}")
    return INTERRUPTED if result.interrupted else 0
