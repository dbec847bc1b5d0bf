"""The command `rvae generate`: series of synthetic patterns."""

from pathlib import Path

from rvae.data.patterns import PatternsConfig

__all__ = ["generate"]


def generate(output: Path, patterns: PatternsConfig = PatternsConfig()) -> None:
    """Write series of synthetic patterns to an .npz file, for experiments.

    Its arrays are `values`, with one series per occurrence of a pattern or of noise, and `pattern`,
    the number of the pattern at each step, 0 for noise.

    Args:
        output: File to write.
        patterns: Options of the patterns.
    """
    import numpy as np

    from rvae.data.patterns import generate
    from rvae.errors import require

    require(output.suffix == ".npz", "output", f"must end in .npz, got {output}")
    values, codes = generate(patterns)
    output.parent.mkdir(parents=True, exist_ok=True)
    shape = (patterns.repeats, patterns.length)
    np.savez(output, values=values.reshape(*shape, -1), pattern=codes.reshape(shape))
    print(f"Wrote {patterns.repeats} series to {output}")
