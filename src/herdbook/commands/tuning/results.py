"""Output of `herdbook tune`: warnings, a table, lines for the experiment file, plots, and a JSON file of the proposal."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from matplotlib.figure import Figure
from rich.table import Table

from herdbook.commands.screen import add_row, text_table
from herdbook.commands.tuning.attempt import PLATEAU_QUALITY, Proposal
from herdbook.commands.tuning.lacking import few_words, lacking_arenas
from herdbook.commands.tuning.measure import MORE_BLOBS, Comparison, newly_found
from herdbook.commands.tuning.plots import Marked, plot_areas, plot_blobs, plot_count_ladder
from herdbook.commands.tuning.proposal import POOR_SEPARATION
from herdbook.errors import HerdbookError
from herdbook.experiment.docs import as_yaml
from herdbook.experiment.editing.text import with_values
from herdbook.experiment.file import parse_experiment
from herdbook.experiment.model import Experiment
from herdbook.experiment.scene import ALTERNATIVES
from herdbook.report.figures.style import png_bytes
from herdbook.system.files import replacing, write_text

PICTURED_FRAMES = 6
# Warnings are given above these shares of ghosts, of frames with too many blobs and of broken frames.
MANY_GHOSTS, MANY_EXCESS, MANY_BROKEN = 0.2, 0.1, 0.1


def section_values(experiment: Experiment, proposal: Proposal) -> dict[str, dict[str, Any]]:
    """The proposed values by section: those of segment, as far as they differ from the experiment's, and those of background, if any."""
    given, way = experiment.section("segment", proposal.movie), proposal.way
    values: dict[str, Any] = {}
    if way.method != given.method:
        values["method"] = way.method
    if proposal.polarity != given.polarity:
        values["polarity"] = proposal.polarity
    if way.method == "intensity":
        values["intensity"] = list(proposal.band)
    else:
        values["difference"] = int(proposal.difference)
    for key, radius in (("close", proposal.close_px), ("open", proposal.open_px)):
        if radius != getattr(given, key):
            values[key] = radius
    sections = {"segment": values | {"area": list(proposal.area)}}
    return ({"background": dict(way.changes)} if way.changes else {}) | sections


def section_lines(sections: Mapping[str, Mapping[str, Any]]) -> str:
    """The values as lines of the experiment file."""
    return "\n".join(
        line for name, values in sections.items() for line in (f"{name}:", *(f"  {key}: {as_yaml(value)}" for key, value in values.items()))
    )


def proposal_warnings(experiment: Experiment, comparison: Comparison) -> list[str]:
    """Warnings about a proposal, each one or two sentences."""
    proposal = comparison.chosen
    warnings = _warnings_of_ways(experiment, comparison)
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
    if animals is not None:
        names = [arena.name for arena in experiment.arenas]
        few = lacking_arenas(proposal.view_counts, proposal.numbers, names)
        if few:
            warnings.append(
                f"{few_words(few)} Animals touch or hide there, or rest so long that they are part of the background. Look at the pictures "
                "of frames."
            )
    if animals is not None and (counts > animals).mean() > MANY_EXCESS:
        warnings.append(f"There are more blobs than animals in {(counts > animals).mean():.0%} of the frames.")
    sampled = len(proposal.frames) + len(proposal.broken)
    if len(proposal.broken) > MANY_BROKEN * sampled:
        warnings.append(f"{len(proposal.broken)} of {sampled} sampled frames are black or differ from the background as a whole.")
    for key, other in ALTERNATIVES:
        if getattr(section, other) is not None and not (key == "difference" and proposal.way.method == "intensity"):
            warnings.append(f"segment.{other} is set, which is an alternative to segment.{key}: remove it to use the proposed {key}.")
    return warnings


def _warnings_of_ways(experiment: Experiment, comparison: Comparison) -> list[str]:
    """What the proposed way is, if it is not the given one, and whether grey levels alone show animals that the background hides."""
    chosen, first = comparison.chosen, comparison.tried[0]
    warnings = []
    if not chosen.way.given and chosen.animals is not None:
        found = [f"{one.way.words}: {one.counts.mean():.1f} blobs per frame" for one in comparison.tried]
        warnings.append(
            f"Animals are missing with the settings of the experiment file, and the method proposed finds more of {chosen.animals} animals "
            f"({'; '.join(found)})."
        )
    for one in comparison.tried[1:] if chosen.animals is None else ():
        if newly_found(first, one)[0] >= MORE_BLOBS and one.quality >= PLATEAU_QUALITY and one.separation >= POOR_SEPARATION:
            low, high = one.band
            warnings.append(
                f"Grey levels alone (segment.method: intensity, intensity: [{low}, {high}]) show {one.counts.mean():.1f} blobs per frame, "
                f"the background {first.counts.mean():.1f}: animals that rest may be part of the background. Give animals.number, so "
                "that ways can be compared, and look at the background."
            )
    if chosen.open_px != experiment.section("segment", chosen.movie).open:
        warnings.append(
            f"Thin parts such as legs or tails join animals, or other ones: open: {chosen.open_px} removes them, and positions are "
            "those of the bodies."
        )
    return warnings


def ways_table(comparison: Comparison) -> Table | None:
    """Table of the ways of finding animals that were tried; None if only the given one was."""
    if len(comparison.tried) < 2:
        return None
    table = text_table("method", "blobs per frame", "agreement", "quality", "proposed", title="Ways of finding the animals")
    for one in comparison.tried:
        proposed = one.way is comparison.chosen.way
        agreement = "–" if one.animals is None else f"{one.agreement:.2f}"
        cells = (one.way.words, f"{one.counts.mean():.1f}", agreement, f"{one.quality:.2f}", "yes" if proposed else "")
        add_row(table, *cells, style="bold" if proposed else None)
    return table


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


def write_results(folder: Path, experiment: Experiment, comparison: Comparison, made_of: Mapping[str, Any]) -> dict[str, Any]:
    """Write the plots and tune.json of a proposal into a folder; plots of frames of an earlier proposal are removed.

    `made_of`: what the proposal follows from, see `reuse`. Returns the content of tune.json.
    """
    figures = _figures(comparison.chosen)
    values = proposal_values(experiment, comparison) | {"made_of": made_of}
    try:
        for name, figure in figures.items():
            with replacing(folder / name) as temporary:
                temporary.write_bytes(png_bytes(figure))
        write_text(folder / "tune.json", json.dumps(values, indent=1, ensure_ascii=False) + "\n")
        for stale in folder.glob("frames_*.png"):
            if stale.name not in figures:
                stale.unlink()
    except OSError as error:
        raise HerdbookError(f"{folder}: cannot be written to: {error.strerror}. Give another folder with --out.") from error
    return values


def write_values(file: Path, experiment: Experiment, movie: str, sections: Mapping[str, Mapping[str, Any]]) -> None:
    """Write the proposed values into the experiment file; nothing else in it changes, and nothing is written if the result is not valid.

    Raises HerdbookError if other settings would override the values, or the file cannot be edited safely.
    """
    values = sections["segment"]
    own = experiment.movie(movie).override.get("segment", {})
    pairs = {key: other for pair in ALTERNATIVES for key, other in (pair, pair[::-1])}
    overriding = [key for key in own if key in values or pairs.get(key) in values]
    if overriding:
        raise HerdbookError(
            f"{file}: the movie {movie} has settings of its own (override of segment: {', '.join(overriding)}). Change them by hand."
        )
    section = experiment.segment
    others = [other for key, other in ALTERNATIVES if key in values and getattr(section, other) is not None]
    if others:
        raise HerdbookError(f"{file}: segment.{' and segment.'.join(others)} must be removed before the proposed values can be written.")
    file = file.resolve()
    with file.open(encoding="utf-8", newline="") as stream:
        text = stream.read()
    for name, changed in sections.items():
        text = with_values(text, name, changed)
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
        level = f"intensity {list(proposal.band)}" if proposal.way.method == "intensity" else f"difference {proposal.difference:g}"
        title = f"{proposal.movie}, frame {frame.index}; {level}, area {list(proposal.area)}"
        title += "" if proposal.animals is None else f"; number of animals: {proposal.animals}"
        figures[f"frames_{number}.png"] = plot_blobs(frame.bgr(), Marked(proposal.blobs[pick], accepted[pick]), title)
    return figures


def proposal_values(experiment: Experiment, comparison: Comparison) -> dict[str, Any]:
    """What tune.json holds of a proposal: values by section, how sure they are, warnings, and the scores of all levels as columns."""
    proposal = comparison.chosen
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
        **section_values(experiment, proposal),
        "polarity": proposal.polarity,
        "sure": proposal.sureness,
        "quality": round(proposal.quality, 4),
        "plateau": list(proposal.plateau),
        "separation": round(proposal.separation, 4),
        "ghosts": round(proposal.ghosts, 4),
        "animals": proposal.animals,
        "ways": [
            {
                "method": one.way.words,
                "blobs": round(float(one.counts.mean()), 4),
                "agreement": None if one.animals is None else round(one.agreement, 4),
                "quality": round(one.quality, 4),
            }
            for one in comparison.tried
        ],
        "warnings": proposal_warnings(experiment, comparison),
        "frames": [frame.index for frame in proposal.frames],
        "blobs": counts.tolist(),
        "broken_frames": proposal.broken,
        "ladder": {name: np.round(values, 4).tolist() for name, values in columns.items()},
    }
