"""A request that was checked against the model."""

from dataclasses import dataclass

from rvae.data.windows import count_windows
from rvae.inference.card import Card
from rvae.serving.contract.inputs.series_input import SeriesInput
from rvae.serving.contract.options import Options, Task
from rvae.serving.contract.outputs.output import Output

__all__ = ["Query"]


@dataclass(frozen=True)
class Query:
    """A request that was checked against the model.

    Attributes:
        task: What to do.
        inputs: The series or latents to do it with.
        options: The fields of the request, without values, times and classes.
        outputs: What to answer with.
        stride: Steps between windows.
        label: Class of windows to sample or decode, where the model is conditional.
        id: What the answer is to be marked with, in formats that have a place for it.
        tensors: Names of the tensors to answer with, in formats that name them; all if None.
    """

    task: Task
    inputs: SeriesInput
    options: Options
    outputs: tuple[Output, ...]
    stride: int
    label: str | None = None
    id: str | None = None
    tensors: tuple[str, ...] | None = None

    @property
    def generates(self) -> bool:
        """Whether windows are to be generated, rather than series analysed."""
        return self.task in ("decode", "sample")

    @property
    def count(self) -> int:
        """Number of windows to generate."""
        latent = self.inputs.latent
        return self.options.count or 1 if latent is None else len(latent)

    @property
    def steps(self) -> int:
        """Number of time steps of all series."""
        return sum(map(len, self.inputs.series))

    def windows(self, card: Card) -> int:
        """Number of windows to analyse, or to generate."""
        if self.generates:
            return self.count
        return sum(count_windows(len(one), card.window, self.stride) for one in self.inputs.series)
