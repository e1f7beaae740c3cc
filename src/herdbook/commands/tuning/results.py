"""Output of `herdbook tune`: warnings, a table, lines for the experiment file, plots, and a JSON file of the proposal."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from matplotlib.figure import Figure
from rich.table import Table

from herdbook.commands.screen import add_row, text_table
from herdbook.commands.tuning.measure import PLATEAU_QUALITY, Proposal
from herdbook.commands.tuning.plots import Marked, plot_areas, plot_blobs, plot_count_ladder
from herdbook.errors import HerdbookError
from herdbook.experiment.docs import as_yaml
from herdbook.experiment.edit import with_values
from herdbook.experiment.file import parse_experiment
from herdbook.experiment.model import Experiment
from herdbook.experiment.scene import ALTERNATIVES
from herdbook.report.figures.style import png_bytes
from herdbook.system.files import replacing, write_text

PICTURED_FRAMES = 6
# Warnings are given above these shares of ghosts, of missing animals, of frames with too many blobs and of broken frames.
MANY_GHOSTS, MANY_MISSING, MANY_EXCESS, MANY_BROKEN = 0.2, 0.3, 0.1, 0.1
# A warning is given below this separation of specks and animals.
POOR_SEPARATION = 0.9


def section_values(experiment: Experiment, proposal: Proposal) -> dict[str, Any]:
    """The proposed values of the section segment: difference and area, and the polarity if it differs from the experiment's."""
    values: dict[str, Any] = {"difference": int(proposal.difference), "area": list(proposal.area)}
    given = experiment.section("segment", proposal.movie).polarity
    return values if proposal.polarity == given else {"polarity": proposal.polarity} | values


def section_lines(values: dict[str, Any]) -> str:
    """The values as lines of the experiment file."""
    return "\n".join(["segment:", *(f"  {key}: {as_yaml(value)}" for key, value in values.items())])


def proposal_warnings(experiment: Experiment, proposal: Proposal) -> list[str]:
    """Warnings about a proposal, each one or two sentences."""
    warnings = []
    section, counts, animals = experiment.section("segment", proposal.movie), proposal.counts, proposal.animals
    if proposal.polarity != section.polarity:
        warnings.append(
            f"With polarity {proposal.polarity} animals are found much better than with {section.polarity}: it is proposed as well."
        )
    if proposal.quality < PLATEAU_QUALITY:
        remedies = {
            "flat_field": "segment.flat_field helps where the light is uneven",
            "blur": "segment.blur against noise",
            "channel": "segment.channel where animals have a colour",
        }
        untried = [text for key, text in remedies.items() if key not in section.model_fields_set]
        warnings.append(
            "There is no plateau: each difference finds other blobs. The animals differ too little or unevenly from the background"
            + (f"; {', '.join(untried)}." if untried else ".")
        )
    if proposal.separation < POOR_SEPARATION:
        warnings.append("Specks and animals overlap in area: look at areas.png and set the smallest area by eye.")
    if proposal.ghosts > MANY_GHOSTS:
        warnings.append(
            f"{proposal.ghosts:.0%} of the accepted blobs seem to be ghosts: something in the background that is not in the frame, such as "
            "an animal that rested. Check segment.polarity, or give an image of the empty scene as background.file."
        )
    if animals is not None and counts.mean() < (1 - MANY_MISSING) * animals:
        warnings.append(
            f"The average frame has {counts.mean():.1f} blobs for {animals} animals: animals often touch or hide, or some are not found. "
            "Look at the pictures of frames."
        )
    if animals is not None and (counts > animals).mean() > MANY_EXCESS:
        warnings.append(f"There are more blobs than animals in {(counts > animals).mean():.0%} of the frames.")
    sampled = len(proposal.frames) + len(proposal.broken)
    if len(proposal.broken) > MANY_BROKEN * sampled:
        warnings.append(f"{len(proposal.broken)} of {sampled} sampled frames are black or differ from the background as a whole.")
    for key, other in ALTERNATIVES:
        if getattr(section, other) is not None:
            warnings.append(f"segment.{other} is set, which is an alternative to segment.{key}: remove it to use the proposed {key}.")
    return warnings


def ladder_table(proposal: Proposal) -> Table:
    """Table of the results at each difference of the ladder; those of the plateau are bold."""
    animals = "not known" if proposal.animals is None else proposal.animals
    columns = ("difference", "area from", "blobs", "5 % to 95 %", "stability", "score", "plateau")
    table = text_table(*columns, title=f"Blobs per frame of {proposal.movie} (number of animals: {animals})")
    ladder = proposal.ladder
    quantiles = np.quantile(proposal.ladder_counts, (0.5, 0.05, 0.95), axis=1).T
    for step, (median, low, high) in enumerate(quantiles):
        inside = ladder.first <= step <= ladder.last
        counts = (f"{ladder.difference[step]:g}", f"{ladder.smallest[step]:.0f} px", f"{median:.0f}", f"{low:.0f} to {high:.0f}")
        shares = (f"{ladder.stability[step]:.2f}", f"{ladder.score[step]:.2f}", "yes" if inside else "")
        add_row(table, *counts, *shares, style="bold" if inside else None)
    return table


def write_results(folder: Path, experiment: Experiment, proposal: Proposal) -> None:
    """Write the plots and tune.json of a proposal into a folder; plots of frames of an earlier proposal are removed."""
    figures = _figures(proposal)
    try:
        for name, figure in figures.items():
            with replacing(folder / name) as temporary:
                temporary.write_bytes(png_bytes(figure))
        write_text(folder / "tune.json", json.dumps(_as_dict(experiment, proposal), indent=1, ensure_ascii=False) + "\n")
        for stale in folder.glob("frames_*.png"):
            if stale.name not in figures:
                stale.unlink()
    except OSError as error:
        raise HerdbookError(f"{folder}: cannot be written to: {error.strerror}. Give another folder with --out.") from error


def write_values(file: Path, experiment: Experiment, proposal: Proposal) -> None:
    """Write the proposed values into the experiment file; nothing else in it changes, and nothing is written if the result is not valid.

    Raises HerdbookError if other settings would override the values, or the file cannot be edited safely.
    """
    values = section_values(experiment, proposal)
    own = experiment.movie(proposal.movie).override.get("segment", {})
    pairs = {key: other for pair in ALTERNATIVES for key, other in (pair, pair[::-1])}
    overriding = [key for key in own if key in values or pairs.get(key) in values]
    if overriding:
        raise HerdbookError(
            f"{file}: the movie {proposal.movie} has settings of its own (override of segment: {', '.join(overriding)}). Change them by "
            "hand."
        )
    section = experiment.segment
    others = [other for key, other in ALTERNATIVES if getattr(section, other) is not None]
    if others:
        raise HerdbookError(f"{file}: segment.{' and segment.'.join(others)} must be removed before the proposed values can be written.")
    file = file.resolve()
    with file.open(encoding="utf-8", newline="") as stream:
        text = with_values(stream.read(), "segment", values)
    parse_experiment(yaml.safe_load(text), file)
    try:
        with replacing(file) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
            stream.write(text)
    except OSError as error:
        raise HerdbookError(f"{file} cannot be written: {error.strerror}.") from error


def _figures(proposal: Proposal) -> dict[str, Figure]:
    ladder, counts, accepted = proposal.ladder, proposal.counts, proposal.accepted
    figures = {
        "counts.png": plot_count_ladder(
            ladder.difference,
            proposal.ladder_counts,
            ladder.score,
            animals=proposal.animals,
            plateau=proposal.plateau,
            proposed=proposal.difference,
        ),
        "areas.png": plot_areas(
            np.concatenate([blobs.area for blobs in proposal.blobs]).astype(np.int64),
            proposal.area,
            counts,
            animals=proposal.animals,
            difference=proposal.difference,
        ),
    }
    # Frames from the fewest to the most blobs show both merges and specks.
    ranked = np.argsort(counts, kind="stable")
    picks = np.unique(ranked[np.linspace(0, len(ranked) - 1, min(PICTURED_FRAMES, len(ranked))).round().astype(int)])
    for number, pick in enumerate(picks.tolist(), 1):
        frame = proposal.frames[pick]
        title = f"{proposal.movie}, frame {frame.index}; difference {proposal.difference:g}, area {list(proposal.area)}"
        title += "" if proposal.animals is None else f"; number of animals: {proposal.animals}"
        figures[f"frames_{number}.png"] = plot_blobs(frame.bgr(), Marked(proposal.blobs[pick], accepted[pick]), title)
    return figures


def _as_dict(experiment: Experiment, proposal: Proposal) -> dict[str, Any]:
    ladder, counts = proposal.ladder, proposal.counts
    low, median, high = np.quantile(proposal.ladder_counts, (0.05, 0.5, 0.95), axis=1)
    columns = {
        "difference": ladder.difference,
        "smallest_area": ladder.smallest,
        "blobs_5": low,
        "blobs_median": median,
        "blobs_95": high,
        "agreement": ladder.agreement,
        "separation": ladder.separation,
        "stability": ladder.stability,
        "constancy": ladder.constancy,
        "score": ladder.score,
    }
    return {
        "experiment": experiment.experiment,
        "movie": proposal.movie,
        "segment": section_values(experiment, proposal),
        "polarity": proposal.polarity,
        "sure": proposal.sureness,
        "quality": round(proposal.quality, 4),
        "plateau": list(proposal.plateau),
        "separation": round(proposal.separation, 4),
        "ghosts": round(proposal.ghosts, 4),
        "animals": proposal.animals,
        "warnings": proposal_warnings(experiment, proposal),
        "frames": [frame.index for frame in proposal.frames],
        "blobs": counts.tolist(),
        "broken_frames": proposal.broken,
        "ladder": {name: np.round(values, 4).tolist() for name, values in columns.items()},
    }
