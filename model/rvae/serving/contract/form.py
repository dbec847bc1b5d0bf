"""In which form a request is answered."""

from dataclasses import dataclass

from rvae.errors import require
from rvae.serving.contract.media import Media
from rvae.serving.contract.outputs import OF_POINTS, OF_WINDOWS, Output
from rvae.serving.contract.tensors import Inference

__all__ = ["Form"]


@dataclass(frozen=True)
class Form:
    """A kind of body, and whether JSON speaks the Open Inference Protocol.

    Attributes:
        media: The kind of body.
        inference: The request of that protocol, if it was one.
    """

    media: Media
    inference: Inference | None

    def usual(self, output: tuple[Output, ...]) -> tuple[Output, ...]:
        """Of what is answered elsewhere, what is answered in this form."""
        return output[-1:] if self.media is Media.NPY else output

    def require(self, output: tuple[Output, ...]) -> None:
        """Raise a `FieldError` where this form cannot hold all that is asked for."""
        if self.media is Media.NPY:
            require(
                len(output) < 2 and not {"band", "events"} & set(output),
                "output",
                "a .npy file holds one array: name one of score, latent, reconstruction, "
                "point_scores and contributions, or accept another kind of answer",
            )
            # What else comes with an output, such as the threshold, is not in the array.
            wanted = () if self.inference is None else self.inference.wanted or ()
            require(
                set(wanted) <= {*output, "instances"},
                "outputs",
                f"a .npy file holds {' '.join(output) or 'instances'} here: name that alone, or "
                "accept another kind of answer",
            )
        elif self.media is not Media.JSON:
            rows = (set(OF_WINDOWS), set(OF_POINTS), {"events"})
            require(
                any(set(output) <= alike for alike in rows),
                "output",
                f"a table has a row for each window ({', '.join(OF_WINDOWS)}), step "
                f"({', '.join(OF_POINTS)}) or event: ask for one of these",
            )
            require(
                self.media is Media.ARROW or "contributions" not in output,
                "output",
                "contributions have no place in text: accept another kind of answer",
            )
        elif self.inference is not None:
            require(
                "events" not in output,
                "output",
                "events are no tensor: ask without inputs, or accept a table",
            )
