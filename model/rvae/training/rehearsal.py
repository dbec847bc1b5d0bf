"""A training up to its first step: what it works on, and what must change for it to begin."""

from dataclasses import dataclass, replace

from rvae.config import TrainingPlan
from rvae.data.default_window import default_window
from rvae.data.series import Dataset
from rvae.errors import FieldError
from rvae.training.prepare import Preparation, prepare

__all__ = ["Rehearsal", "rehearse"]

MIN_WINDOW = 4
MAX_CHANGES = 12


@dataclass(frozen=True)
class Rehearsal:
    """What a training would work on.

    Attributes:
        plan: The plan with which it begins, or with which it failed last.
        preparation: Its windows; None if no plan was found.
        obstacle: Why no plan was found; None if one was.
    """

    plan: TrainingPlan
    preparation: Preparation | None
    obstacle: str | None

    @property
    def segments(self) -> int:
        """Windows of the calibration part that do not overlap: the most blocks that it may have."""
        if self.preparation is None:
            return 0
        parts = self.preparation.folds or [self.preparation]
        return sum(part.windows["calibration"].segments for part in parts)


def rehearse(dataset: Dataset, plan: TrainingPlan) -> Rehearsal:
    """Prepare a training, with as few changes of the plan as it takes.

    A channel that is constant in the training part is kept; where there are too few windows, the
    window is halved.
    """
    for _ in range(MAX_CHANGES):
        try:
            return Rehearsal(plan, prepare(dataset, plan), None)
        except FieldError as error:
            changed = _changed(dataset, plan, error)
            if changed is None:
                return Rehearsal(plan, None, str(error))
            plan = changed
    return Rehearsal(plan, None, "there are too few rows")


def _changed(dataset: Dataset, plan: TrainingPlan, error: FieldError) -> TrainingPlan | None:
    """The plan with what may help against an error; None if nothing may."""
    data = plan.data
    if error.field in dataset.channels and data.constant == "refuse":
        return replace(plan, data=replace(data, constant="keep"))
    training = plan.training
    if error.field in ("training.folds", "data.window", "data"):
        window = data.window or default_window(dataset, data, training.seed, training.folds)
        if window // 2 >= MIN_WINDOW:
            return replace(plan, data=replace(data, window=window // 2))
    return None
