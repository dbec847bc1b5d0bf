"""Sentences on what a threshold promises, for those who have trained or calibrated a model."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rvae.inference.card import Card

__all__ = ["promise_sentences"]


def promise_sentences(card: "Card", quantile: float, alarms: str | None) -> Iterator[str]:
    """What the threshold promises, the most that it could, and what was asked for would need.

    Args:
        card: Card of the model.
        quantile: Quantile that was asked for.
        alarms: Rate of events that was asked for instead; None if there is none.
    """
    from rvae.config.alarms import alarm_rate
    from rvae.scoring.promise import limit_text, promise_text
    from rvae.scoring.ranks import blocks_needed, quantile_text

    calibration, blocks = card.calibration, card.calibration.blocks
    length = blocks.mean_steps
    threshold = f"{calibration.threshold():.4g} at quantile {quantile_text(calibration.quantile)}"
    yield (
        f"Threshold {threshold}: {promise_text(calibration, card.interval)}, while new data is "
        "like the held-out windows."
    )
    yield (
        (
            f"These are {blocks.count} independent blocks of {length:.0f} steps, which can"
            if blocks.count > 1
            else f"These are no more than one independent block of {length:.0f} steps, which can"
        )
        + f" promise no less than {limit_text(blocks.count, blocks.steps, card.interval)}."
    )
    if not calibration.lowered:
        return
    asked, probability = f"quantile {quantile:g}", 1 - quantile
    if alarms is not None:
        asked = alarms
        rate = alarm_rate(asked, card.interval, blocks.steps, "alarms")
        probability = rate * blocks.steps
    needed = blocks_needed(probability)
    yield (
        f"Warning: {asked} was asked for, which needs {needed:,} blocks, {needed * length:,.0f} "
        "steps of held-out normal data. The threshold is the highest score that was found. Give "
        "more data, hold out all of it in turn (--training.folds 5), take a shorter window, or ask "
        "for less."
    )
