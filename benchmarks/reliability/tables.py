"""Records → tables of Markdown."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

import numpy as np

from benchmarks.reliability.records import Record

__all__ = ["of_files", "of_models", "of_simulation"]

# Rates above the promise that count as a broken one.
LIMIT, LIMIT_OF_FILES = 1.2, 1.5
NORMAL = 1.96

PROMISES = {
    "own": "own",
    "windows 0.95": "5 %",
    "windows 0.98": "2 %",
    "windows 0.99": "1 %",
    "windows 0.999": "0.1 %",
    "rarest events": "rarest events",
    "events": "1 event in 10,000",
    "band 0.9": "band 90 %",
    "band 0.95": "band 95 %",
    "band 0.99": "band 99 %",
}


def of_simulation(records: Sequence[Record]) -> str:
    """Measured over promised rates of each cell, by plan, and the cells above the limit.

    A dash says that at most one in twenty calibrations promises that.
    """
    if not records:
        return ""
    text = []
    for plan in dict.fromkeys(one["plan"] for record in records for one in record["results"]):
        rows = []
        for record in sorted(
            records, key=lambda one: (one["kind"], one["channels"], one["points"])
        ):
            found = {one["promise"]: one for one in record["results"] if one["plan"] == plan}
            if found:
                cell = [record["kind"], str(record["channels"]), f"{record['points']:,}"]
                own = found["own"]
                cell += [f"{own['blocks']:.0f}", f"{100 * own['promised']:.2g} %"]
                rows.append([*cell, *(_ratio(found[name]) for name in PROMISES)])
        head = ("series", "channels", "points", "blocks", "own promise", *PROMISES.values())
        text.append(f"\nScores of simulated series, {plan}: measured / promised\n")
        text.append(_table(head, rows))
    text.append(_broken(records))
    return "\n".join(text)


def of_models(records: Sequence[Record]) -> str:
    """Mean of measured over promised rates of trained models, by kind, channels and length."""
    rows = []
    names = ("kind", "channels", "points")
    ordered = sorted(records, key=lambda one: tuple(one[name] for name in names))
    for cell, group in groupby(ordered, key=lambda one: tuple(one[name] for name in names)):
        some = list(group)
        rows.append(
            [
                *map(str, cell),
                str(len(some)),
                f"{np.median([one['blocks'] for one in some]):.0f}",
                f"{100 * np.mean([one['levels'][0]['windows']['promised'] for one in some]):.2g} %",
                _mean_ratio(one["levels"][0]["windows"] for one in some),
                _mean_ratio(one["levels"][0]["events"] for one in some),
                _mean_ratio(one["band"] for one in some if one["band"]),
            ]
        )
    if not rows:
        return ""
    head = (
        *("series", "channels", "points", "trainings", "blocks", "own promise"),
        *("windows", "events", "values beyond the band"),
    )
    return f"\nTrained models: measured / promised\n\n{_table(head, rows)}"


def of_files(records: Sequence[Record]) -> str:
    """Promised and measured rates of each file, and the ones above the limit by name."""
    if not records:
        return ""
    rows, good, errors = [], {"levels": 0, "adapted": 0, "band": 0}, []
    for record in sorted(records, key=lambda one: (one["set"], one["file"])):
        if record["error"]:
            errors.append(f"- {record['file']}: {record['error']}")
            continue
        own, adapted, band = record["levels"][0], record["adapted"], record["band"]
        good["levels"] += _within(own["windows"])
        good["adapted"] += _within(adapted["windows"])
        good["band"] += band is not None and _within(band)
        name = record["file"].removesuffix(".csv").split("_tr_")[0]
        rows.append(
            [
                name if _within(own["windows"]) else f"**{name}**",
                f"{record['points']:,}",
                str(record["channels"]),
                str(record["window"]),
                str(record["blocks"]),
                *_rate_texts(own["windows"]),
                _rate_texts(adapted["windows"])[1],
                *(_rate_texts(band) if band else ("", "")),
            ]
        )
    head = (
        *("file", "normal points", "channels", "window", "blocks", "promised, at most"),
        *("measured", "with adapt", "values beyond the band: promised", "measured"),
    )
    summary = (
        f"\nWithin {LIMIT_OF_FILES} times the promise, of {len(rows)} files: {good['levels']} with "
        f"the fixed threshold, {good['adapted']} with adapt, {good['band']} bands.\n"
    )
    return "\n".join([f"\nReal series\n\n{_table(head, rows)}", summary, *errors])


def _within(rate: dict[str, Any]) -> bool:
    return bool(rate["measured"] <= LIMIT_OF_FILES * rate["promised"])


def _rate_texts(rate: dict[str, Any]) -> tuple[str, str]:
    promised, measured, low, high = (
        f"{100 * rate[name]:.2g} %" for name in ("promised", "measured", "low", "high")
    )
    return promised, f"{measured} ({low} to {high})"


def _mean_ratio(rates: Iterable[dict[str, Any]]) -> str:
    """Sum of the measured rates over that of the promised ones, with a 95 % interval."""
    pairs = np.array([(rate["promised"], rate["measured"]) for rate in rates])
    if len(pairs) < 2:
        return "–"
    promised, measured = pairs.mean(axis=0)
    error = (pairs[:, 1] - pairs[:, 0]).std(ddof=1) / np.sqrt(len(pairs))
    return f"{measured / promised:.2f} ± {NORMAL * error / promised:.2f}"


def _ratio(result: dict[str, Any]) -> str:
    if result["promising"] <= result["calibrations"] / 20:
        return "–"
    ratio = result["measured"] / result["promised"]
    text = f"{ratio:.2f} ± {NORMAL * result['error'] / result['promised']:.2f}"
    return f"**{text}**" if _is_broken(result) else text


def _is_broken(result: dict[str, Any]) -> bool:
    """Whether a rate is above the limit, and its interval above the promise."""
    if result["error"] is None:
        return False
    measured, promised = result["measured"], result["promised"]
    lowest = measured - NORMAL * result["error"]
    return bool(measured > LIMIT * promised and lowest > promised)


def _broken(records: Sequence[Record]) -> str:
    """All cells above the limit, those in which hardly any calibration promises included."""
    rows = [
        [
            record["kind"],
            str(record["channels"]),
            f"{record['points']:,}",
            one["plan"],
            PROMISES[one["promise"]],
            f"{one['promising']} of {one['calibrations']}",
            f"{one['measured'] / one['promised']:.2f} ± "
            f"{NORMAL * one['error'] / one['promised']:.2f}",
        ]
        for record in records
        for one in record["results"]
        if _is_broken(one)
    ]
    cells = sum(one["error"] is not None for record in records for one in record["results"])
    title = f"\nAbove {LIMIT} times the promise, of {cells} cells that promise something\n"
    head = (
        "series",
        "channels",
        "points",
        "plan",
        "promise",
        "calibrations",
        "measured / promised",
    )
    return f"{title}\n{_table(head, rows)}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
