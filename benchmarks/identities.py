"""Who is where, against the truth: the bars of tracklets, identities, positions inside merges and confidence.

    python benchmarks/identities.py --data ../shared/data --work /tmp/identities --out /tmp/identities/reliability.png
    python benchmarks/identities.py --data ../shared/data --sets ants16 --variants weak

The chain runs to trajectories.csv in the folder --work, as far as its results there are not up to date (a temporary one without it). Then
`propagate` and `smooth` run once more for each variant, with other evidence in place of the classifier's and without any labels:

    truth      the true animal of each single tracklet, as good as certain
    weak       a classifier that is right in 80 % of the frames, with errors that last 2 s (`simulated_evidence`)
    elimination  the same, but one animal is never read at all

`greedy` and `weak greedy` are a baseline (`greedy_identities`) on the same tracklets, counts and evidence as the classifier and `weak`;
it goes through the same `smooth` and is scored in the same way. Positions inside merges may be wrong although the names are right, so names
are judged by themselves, too: an animal is right where the blob that shows it holds its name. Weak evidence is drawn anew there several
times. Bars that are missed are marked.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from greedy_identities import assign_greedily
from identity_bars import BARS, Outcome, baseline_row, bucket_table, names_row, outcome_rows, plot_reliability, tracklet_rows
from measuring import run_chain
from real_movies import RECORDINGS, Recording, experiment_file
from simulated_evidence import learn_calibration, true_evidence, weak_evidence
from true_blobs import NOBODY, TrueBlobs, find_blobs, judge_names, tracklet_figures

from herdbook.artifacts.classify import Evidence
from herdbook.artifacts.propagate import PROPAGATED, Identities
from herdbook.artifacts.segment import Blobs
from herdbook.artifacts.smooth import Trajectories
from herdbook.artifacts.store import Provenance
from herdbook.artifacts.tracklets import Tracklets
from herdbook.experiment.file import load_experiment
from herdbook.experiment.model import Experiment
from herdbook.experiment.roster import make_roster
from herdbook.identity.evidence import read_evidence
from herdbook.identity.recording import join_movies
from herdbook.tables.scoring import load_truth, score_trajectories

VARIANTS = ("classifier", "truth", "weak", "elimination", "greedy", "weak greedy")
# The evidence that each baseline has; variants whose confidences are judged.
BASELINES = {"greedy": "classifier", "weak greedy": "weak"}
CLAIMS = ("classifier", "weak", "elimination")
STAGE_OF = {"index": "index", "blobs": "segment", "tracklets": "tracklets"}
# Draws of weak evidence; the first goes on to positions.
SEEDS = (1, 2, 3, 4, 5)
# What a classifier's calibration is learned from: tracklets with a label, so many of each animal.
LABELLED_TRACKLETS = 6


@dataclass(frozen=True)
class Case:
    """A recording with its results up to the classifier's evidence."""

    name: str
    recording: Recording
    experiment: Experiment
    truth: pd.DataFrame

    @property
    def results(self) -> Path:
        return self.experiment.folder

    @property
    def movies(self) -> tuple[str, ...]:
        return self.recording.movies

    @property
    def classes(self) -> list[str]:
        return list(self.recording.animals["identities"])

    @property
    def unread(self) -> int:
        """The animal that the variant `elimination` never reads."""
        return len(self.classes) // 2

    @property
    def solved(self) -> Path:
        """The identities that the chain found."""
        return self.results / "propagate" / f"{self.experiment.recording_of(self.movies[0])}.h5"

    def files(self, stage: str) -> list[Path]:
        return [self.results / stage / f"{movie}.h5" for movie in self.movies]

    @cached_property
    def true(self) -> list[TrueBlobs]:
        """The blobs of each movie and who is in them."""
        return [find_blobs(self.results, movie, self.truth, self.classes, self.recording.radius_px) for movie in self.movies]

    def tracklet_figures(self) -> list[dict[str, int]]:
        """What `true_blobs.tracklet_figures` tells of each movie."""
        identities = Identities.load(self.solved)
        return [tracklet_figures(true, len(self.classes), identities, movie) for true, movie in zip(self.true, self.movies, strict=True)]


def prepare(name: str, data: Path, folder: Path, cores: int) -> Case:
    """Run what is missing of the chain."""
    file = experiment_file(name, data, folder)
    run_chain(file, cores, f"{name}/trajectories.csv")
    return Case(name, RECORDINGS[name], load_experiment(file), load_truth(data / name / "truth.csv"))


def run_stage(case: Case, stage: str, unit: str | None, **files: list[Path]) -> None:
    """Run a stage in a process of its own."""
    given = [word for option, paths in files.items() for word in (f"--{option}", *map(str, paths))]
    command = [sys.executable, "-m", f"herdbook.stages.{stage}", *given, "--settings", case.experiment.settings(stage, unit)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", check=False)
    if done.returncode:
        sys.exit(f"{case.name}: {stage} {unit or ''}\n{done.stdout}")


def make_evidence(case: Case, variant: str, seed: int) -> list[Evidence]:
    """What stands in for the evidence of the classifier, one of each movie."""
    if variant == "truth":
        return [true_evidence(true, case.classes) for true in case.true]
    rng = np.random.default_rng(seed)
    images = json.loads(case.experiment.settings("classify"))["most_images"]
    calibration = learn_calibration(case.true[0], LABELLED_TRACKLETS * len(case.classes), images, len(case.classes), rng)
    never = case.unread if variant == "elimination" else NOBODY
    return [weak_evidence(true, case.classes, images=images, calibration=calibration, rng=rng, never=never) for true in case.true]


def assign(case: Case, variant: str, folder: Path, seed: int = SEEDS[0]) -> Path:
    """The identities of a variant, in a file; a baseline follows the variant whose evidence it takes."""
    if variant == "classifier":
        return case.solved
    base = BASELINES.get(variant, variant)
    evidence, solved = case.files("classify"), case.solved
    if base != "classifier":
        evidence = [folder / base / "classify" / f"{movie}.h5" for movie in case.movies]
        solved = folder / base / "propagate" / solved.name
    found = folder / variant / "propagate" / solved.name
    found.parent.mkdir(parents=True, exist_ok=True)
    if variant in BASELINES:
        greedy_identities(case, evidence, Identities.load(solved)).save(found, Provenance("propagate", 1))
        return found
    evidence[0].parent.mkdir(parents=True, exist_ok=True)
    for path, made in zip(evidence, make_evidence(case, variant, seed), strict=True):
        made.save(path, Provenance("classify", 1, seed=seed))
    given = {"blobs": case.files("segment"), "tracklets": case.files("tracklets"), "evidence": evidence}
    run_stage(case, "propagate", None, **given, out=[found])
    return found


def greedy_identities(case: Case, evidence: list[Path], solved: Identities) -> Identities:
    """Those of the baseline, where the solver has found `solved` from the same evidence and counts."""
    settings = json.loads(case.experiment.settings("propagate"))
    roster = make_roster(settings["identities"], settings["homes"], settings["groups"])
    tracklets, blobs = ([kind.load(path) for path in case.files(stage)] for kind, stage in ((Tracklets, "tracklets"), (Blobs, "segment")))
    recording = join_movies(tracklets, blobs, settings["numbers"])
    read = read_evidence(recording, case.movies, [Evidence.load(path) for path in evidence], roster)
    row, individual = np.nonzero(assign_greedily(recording.graph, read.evidence, read.informed, read.labelled))
    order = np.lexsort((individual, recording.tracklet[row], recording.movie[row]))
    row, individual = row[order], individual[order].astype(np.int32)
    return replace(
        solved,
        movie=recording.movie[row],
        tracklet=recording.tracklet[row],
        individual=individual,
        confidence=np.ones(len(row), np.float32),
        how=np.full(len(row), PROPAGATED, np.uint8),
    )


def measure(case: Case, variant: str, folder: Path) -> Outcome:
    """Find who is where, then where they are, and compare."""
    identities = assign(case, variant, folder)
    trajectories = case.files("smooth") if variant == "classifier" else locate(case, identities, folder / variant / "smooth")
    table = pd.concat([_table(movie, Trajectories.load(path)) for movie, path in zip(case.movies, trajectories, strict=True)])
    radius_px, apart_px, visible = case.recording.radius_px, case.recording.apart_px, case.recording.min_visible
    common = {"named": True, "radius_px": radius_px, "apart_px": apart_px, "min_visible": visible, "fps": case.true[0].blobs.fps}
    score = score_trajectories(table, case.truth, **common)
    judged = case.truth.dropna(subset=["x", "y"])
    judged = judged if visible is None else judged[judged["visible_share"] >= visible]
    cells = judged.merge(table, on=["movie", "frame", "individual"], suffixes=("_true", ""))
    cells["distance"] = np.hypot(cells["x"] - cells["x_true"], cells["y"] - cells["y_true"])
    cells["right"] = cells["distance"] <= radius_px
    unread = None
    if variant == "elimination":
        name = case.classes[case.unread]
        unread = name, float(cells["right"][cells["individual"] == name].sum() / (judged["individual"] == name).sum())
    return Outcome(score, cells, Identities.load(identities).gap, unread)


def locate(case: Case, identities: Path, folder: Path) -> list[Path]:
    """Positions of these identities, one file for each movie."""
    folder.mkdir(parents=True, exist_ok=True)
    for movie in case.movies:
        given = {option: [case.results / stage / f"{movie}.h5"] for option, stage in STAGE_OF.items()}
        out, points = folder / f"{movie}.h5", folder / f"{movie}-points.h5"
        source = [Path(case.experiment.movie(movie).file)]
        run_stage(case, "smooth", movie, **given, movie=source, identities=[identities], out=[out], points=[points])
    return [folder / f"{movie}.h5" for movie in case.movies]


def _table(movie: str, t: Trajectories) -> pd.DataFrame:
    name = np.array(t.individuals, object)[t.individual]
    columns = {"frame": t.frame.astype(np.int64), "x": t.x, "y": t.y, "confidence": t.confidence.astype(float), "source": t.source}
    return pd.DataFrame({"movie": movie, "individual": name, **columns})


def judge(case: Case, identities: Path) -> pd.DataFrame:
    """Names by themselves, of all movies."""
    found = Identities.load(identities)
    return pd.concat([judge_names(true, found, movie) for true, movie in zip(case.true, case.movies, strict=True)])


def judge_draws(case: Case, variant: str, folder: Path) -> list[dict[str, str | float]]:
    """Names by themselves, of a variant: a row for each draw of weak evidence, and one for all of them."""
    if not variant.startswith("weak"):
        return [names_row(f"{case.name} {variant}", judge(case, assign(case, variant, folder)))]
    draws = {seed: judge(case, assign(case, variant, folder if seed == SEEDS[0] else folder / f"draw{seed}", seed)) for seed in SEEDS}
    rows = [names_row(f"{case.name} {variant}, draw {seed}", cells) for seed, cells in draws.items()]
    return [*rows, names_row(f"{case.name} {variant}, all draws", pd.concat(draws.values()))]


def print_table(table: pd.DataFrame, title: str) -> None:
    if len(table):
        print(f"\n{title}\n\n{table.to_string(index=False, float_format=lambda value: f'{value:.5f}')}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the recordings")
    parser.add_argument("--sets", nargs="+", choices=BARS, default=[*BARS])
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=VARIANTS)
    parser.add_argument("--cores", type=int, default=os.cpu_count(), help="cores for snakemake")
    parser.add_argument("--work", type=Path, help="keep all results in this folder")
    parser.add_argument("--out", type=Path, help="write the reliability diagram to this PNG file")
    given = parser.parse_args()
    data = given.data.resolve()
    rows, baseline, names = [], [], []
    judged: dict[str, Outcome] = {}
    with tempfile.TemporaryDirectory() as temporary:
        work = (given.work or Path(temporary)).resolve()
        work.mkdir(parents=True, exist_ok=True)
        for name in given.sets:
            case = prepare(name, data, work, given.cores)
            rows += tracklet_rows(name, sum((Counter(figures) for figures in case.tracklet_figures()), Counter()))
            found: dict[str, Outcome] = {}
            for variant in (variant for variant in VARIANTS if variant in given.variants):
                found[variant] = measure(case, variant, work / "variants" / name)
                if variant not in BASELINES:
                    rows += outcome_rows(name, variant, found[variant])
                if variant in CLAIMS:
                    judged[f"{name} {variant}"] = found[variant]
                print(f"{name} {variant}: done", file=sys.stderr, flush=True)
                names += judge_draws(case, variant, work / "variants" / name)
            pairs = ((solver, greedy) for greedy, solver in BASELINES.items() if {greedy, solver} <= set(found))
            baseline += [baseline_row(name, solver, found[solver], found[greedy]) for solver, greedy in pairs]
    columns = ["bar", "variant", "figure", "measured", "wanted", "met"]
    print_table(pd.DataFrame(rows, columns=columns).sort_values("bar", kind="stable"), "Bars 1 to 5 and 7")
    print_table(pd.DataFrame(baseline), "Bar 8: the solver against a greedy baseline")
    print_table(pd.DataFrame(names), "Names by themselves")
    print_table(pd.concat([bucket_table(where, found.cells) for where, found in judged.items()] or [pd.DataFrame()]), "Confidence")
    if given.out and judged:
        plot_reliability(judged).savefig(given.out, dpi=110)


if __name__ == "__main__":
    main()
