"""The workflow, with stand-ins for the stages that only write their outputs: which jobs run, with which arguments, and when again."""

import importlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

import herdbook
from herdbook.experiment import Experiment
from herdbook.stage import Job

ROOT = Path(__file__).resolve().parents[2]
STAGES = (
    *("simulate", "index", "background", "segment", "tracklets", "trainset", "train"),
    *("classify", "propagate", "smooth", "export", "overlay", "report"),
)
# Stages that run only where the experiment asks for what they write.
WISHED = ("closeups", "mosaic")

STAND_IN = """
import json, sys
from pathlib import Path

STAGE_VERSION = 1


def main(stage):
    options = {}
    for word in sys.argv[1:]:
        if word.startswith("--"):
            values = options[word[2:]] = []
        else:
            values.append(word)
    with open("calls.jsonl", "a", encoding="utf-8") as file:
        file.write(json.dumps([stage, sys.argv[1:]]) + "\\n")
    if "broken" in options["out"][0]:
        sys.exit(f"herdbook {stage}: broken.mp4 ends after 7 of 900 frames.")
    out = Path(options["out"][0])
    made = [out, *options.get("hdf5", []), *(options["card"] if stage == "train" else [])]
    if stage == "simulate":
        movies = json.loads(options["settings"][0])["movies"]
        made = [out / name for name in (*(f"{movie}.mp4" for movie in movies), "labels.csv", "truth.csv")]
    if stage in ("segment", "propagate"):
        made.append(out.with_suffix(".excess.csv" if stage == "segment" else ".doubtful.csv"))
    if stage == "smooth":
        made += options["points"]
    if stage == "export":
        made += [path for kind in ("review", "pose_tables", "tables", "formats") for path in options[kind]]
    made += options.get("record", [])
    if stage == "report" and options["truth"]:
        made += [out.with_name("score.json"), out.with_name("score.txt")]
    if stage == "closeups":
        out.mkdir()
        made[0] = out / "red.mp4"
    for path in made:
        # Of larger files than 1 MB Snakemake would look at the time alone.
        Path(path).write_text(f"made by {stage}" * (100_000 if stage == "segment" else 1), encoding="utf-8")


if __name__ == "__main__":
    main(Path(__file__).stem)
"""

# Several dry runs from one Python: importing Snakemake takes longer than a dry run.
DRY_RUNS = """
import json, os, sys
from snakemake.cli import main

for number, options in enumerate(json.load(sys.stdin)):
    if not os.fork():
        file = os.open(f"plan{number}.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, 1), os.dup2(file, 2)
        main(options)
    os.wait()
"""


@dataclass(frozen=True)
class Run:
    """What a call of snakemake left: exit status and everything it printed."""

    status: int
    text: str

    @property
    def jobs(self) -> set[str]:
        """The jobs of a dry run: rule, and the movie, recording or unit that it is for."""
        found = set()
        # The jobs of a group are indented.
        for block in re.split(r"\n(?= *(?:local)?rule )", self.text)[1:]:
            rule = block.split()[1].rstrip(":")
            wildcard = re.search(r"^ +wildcards: \w+=(.*)$", block, re.M)
            found.add(f"{rule} {wildcard[1]}" if wildcard else rule)
        return found - {"all"}

    @property
    def rules(self) -> set[str]:
        return {job.split()[0] for job in self.jobs}


class Bench:
    """A folder with movies, and snakemake with stand-ins for the stages."""

    def __init__(self, folder: Path, stages: Path, snakefile: Path = ROOT / "Snakefile") -> None:
        self.folder, self.stages, self.snakefile = folder, stages, snakefile
        folder.mkdir(parents=True, exist_ok=True)

    def python(self, *options: str, given: str = "") -> Run:
        environment = {name: os.environ[name] for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME") if name in os.environ}
        environment |= {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(self.stages), "COLUMNS": "200"}
        done = subprocess.run(
            [sys.executable, *options],
            cwd=self.folder,
            env=environment,
            input=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=False,
        )
        return Run(done.returncode, done.stdout)

    def snakemake(self, *options: str) -> Run:
        return self.python("-m", "snakemake", "--snakefile", str(self.snakefile), "--cores", "2", *options)

    def write(self, raw: dict[str, Any], name: str = "experiment") -> str:
        path = self.folder / f"{name}.yaml"
        path.write_text(yaml.safe_dump(raw, allow_unicode=True, sort_keys=False), encoding="utf-8")
        return str(path)

    def run(self, raw: dict[str, Any], *options: str) -> Run:
        """Run snakemake on this experiment."""
        return self.snakemake("--configfile", self.write(raw), *options)

    def plan(self, raw: dict[str, Any], *options: str) -> Run:
        """A dry run that must succeed."""
        planned = self.run(raw, "--dry-run", *options)
        assert planned.status == 0, planned.text
        return planned

    def plans(self, experiments: Sequence[dict[str, Any]]) -> list[Run]:
        """A dry run of each of the experiments."""
        files = [self.write(raw, f"plan{number}") for number, raw in enumerate(experiments)]
        options = [["--snakefile", str(self.snakefile), "--dry-run", "--configfile", file] for file in files]
        done = self.python("-c", DRY_RUNS, given=json.dumps(options))
        assert done.status == 0, done.text
        return [Run(0, Path(file).with_suffix(".txt").read_text(encoding="utf-8")) for file in files]

    def movies(self, *names: str) -> None:
        for name in names:
            (self.folder / f"{name}.mp4").write_text(f"the movie {name}" * 100_000)

    def calls(self, results: str = "results") -> list[tuple[str, list[str]]]:
        """Stage and arguments of each job that ran."""
        lines = (self.folder / results / "calls.jsonl").read_text(encoding="utf-8").splitlines()
        return [tuple(json.loads(line)) for line in lines]


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that comes before the package on the path of Python: its stages are stand-ins, everything else is Herdbook's."""
    folder = tmp_path_factory.mktemp("stand-ins")
    package = folder / "herdbook"
    package.mkdir()
    real = str(Path(herdbook.__file__).parent)
    (package / "__init__.py").write_text(f"__version__ = '0'\n__path__.append({real!r})\n", encoding="utf-8")
    for stage in (*STAGES, *WISHED):
        (package / f"{stage}.py").write_text(STAND_IN, encoding="utf-8")
    return folder


BASE: dict[str, Any] = {
    "experiment": "ants",
    "movies": [
        {"name": "a1", "file": "a1.mp4", "recording": "day1"},
        {"name": "a2", "file": "a2.mp4", "recording": "day1"},
        {"name": "b", "file": "b.mp4"},
    ],
    "animals": {"marking": "marked", "identities": ["red", "blue"], "labels": "labels.csv"},
    "arenas": [{"include": [{"ellipse": {"centre": [50, 40], "axes": [30, 20]}}]}],
    "segment": {"difference": 20, "area": [60, 900]},
    "train": {"epochs": 12, "batch": 34},
    "score": {"truth": "truth.csv"},
}


@pytest.fixture(scope="module")
def finished(stages: Path, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """The experiment BASE, run to its end."""
    bench = Bench(tmp_path_factory.mktemp("finished"), stages)
    bench.movies("a1", "a2", "b", "c")
    (bench.folder / "labels.csv").write_text("movie,frame,x,y,label\na1,3,10,20,red\na1,3,30,20,blue\n")
    (bench.folder / "truth.csv").write_text("movie,frame,identity,x,y\n")
    (bench.folder / "other.csv").write_text("movie,frame,identity,x,y\n")
    (bench.folder / "facts.csv").write_text("movie,frame,x,y,fact,name\na1,3,10,20,is,red\n")
    (bench.folder / "empty.png").write_text("an image")
    (bench.folder / "corrections.csv").write_text("movie,frame,individual,point,x,y\na1,3,red,,10,20\n")
    (bench.folder / "poses.json").write_text("{}")
    (bench.folder / "given.h5").write_text("a training set")
    done = bench.run(BASE)
    assert done.status == 0, done.text
    return bench


@pytest.fixture(scope="module")
def wished(stages: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Bench, dict[str, Any]]:
    """A small experiment with what only some ask for, run to its end, and its file."""
    bench = Bench(tmp_path_factory.mktemp("wished"), stages)
    bench.movies("m")
    raw = SMALL | {stage: {"write": True} for stage in WISHED}
    done = bench.run(raw)
    assert done.status == 0, done.text
    return bench, raw


def copy_project(folder: Path) -> Path:
    """A checkout of what snakemake reads, as new as can be."""
    for part in ("workflow", "profiles", "config", "envs"):
        shutil.copytree(ROOT / part, folder / part, copy_function=shutil.copyfile)
    shutil.copyfile(ROOT / "Snakefile", folder / "Snakefile")
    return folder


@pytest.fixture(scope="module")
def demo(stages: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Bench, Run]:
    """A copy of the project in which `snakemake` ran without any file named, and what it printed."""
    folder = copy_project(tmp_path_factory.mktemp("demo") / "project")
    bench = Bench(folder, stages, folder / "Snakefile")
    return bench, bench.snakemake()


def changed(raw: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """The experiment with changes merged in, key by key; None takes a key away."""
    merged = dict(raw)
    for key, value in changes.items():
        merged[key] = changed(raw.get(key) or {}, value) if isinstance(value, dict) else value
    return {key: value for key, value in merged.items() if value is not None}


def movies(**changes: dict[str, Any]) -> dict[str, Any]:
    """Changes of single movies of BASE."""
    return {"movies": [movie | changes.get(movie["name"], {}) for movie in BASE["movies"]]}


def from_stage(stage: str) -> set[str]:
    """The stages from this one on, all of which depend on it."""
    flow = ("index", "background", "segment", "tracklets", "trainset", "train", "classify", "propagate", "smooth")
    return {*flow[flow.index(stage) :], "export", "overlay", "report"}


EDITS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "index": ({"index": {"on_broken": "keep"}}, from_stage("index")),
    "background": ({"background": {"frames": 50}}, from_stage("background")),
    "background, one per recording": ({"background": {"scope": "recording"}}, from_stage("background")),
    "background, one per window": ({"background": {"scope": "window"}}, from_stage("background")),
    "image of the background": ({"background": {"file": "empty.png"}}, from_stage("background")),
    "length of windows that are not used": ({"background": {"window_s": 60}}, set()),
    "polarity, which the background needs too": ({"segment": {"polarity": "bright"}}, from_stage("background")),
    "segment": ({"segment": {"difference": 30}}, from_stage("segment")),
    "difference in units of the noise": ({"segment": {"difference": None, "difference_noise": 6}}, from_stage("segment")),
    "area in bodies": ({"animals": {"body_length": 30}, "segment": {"area": None, "area_body": [0.1, 2]}}, from_stage("segment")),
    "body length that measures nothing": ({"animals": {"body_length": 30}}, set()),
    "frames with more blobs than animals": ({"segment": {"on_excess": "warn"}}, from_stage("segment")),
    "arenas": ({"arenas": [{"include": [{"ellipse": {"centre": [40, 50], "axes": [30, 20]}}]}]}, from_stage("segment")),
    "mask of an arena": ({"arenas": [{**BASE["arenas"][0], "mask": "empty.png"}]}, from_stage("segment")),
    "number of animals in the arena": ({"arenas": [{**BASE["arenas"][0], "number": 3}]}, from_stage("tracklets")),
    "all identities in the one arena": ({"arenas": [{**BASE["arenas"][0], "identities": ["blue", "red"]}]}, set()),
    "intervals, which the background needs too": ({"segment": {"intervals": [[0, 9]]}}, from_stage("background")),
    "tracklets": ({"tracklets": {"bridge": 3}}, from_stage("tracklets")),
    "number of animals": ({"animals": {"number": 3}}, from_stage("tracklets")),
    "order of identities": ({"animals": {"identities": ["blue", "red"]}}, from_stage("trainset")),
    "labels that are no identity": ({"animals": {"other_labels": ["dirt"]}}, from_stage("trainset")),
    "trainset": ({"trainset": {"images_per_tracklet": 20}}, from_stage("trainset")),
    "a given training set": ({"trainset": {"use": "given.h5"}}, from_stage("train")),
    "facts": ({"animals": {"facts": "facts.csv"}}, from_stage("propagate")),
    "a group beside the identities": ({"animals": {"groups": {"plain": 3}}}, from_stage("tracklets")),
    "train": ({"train": {"patience": 3}}, from_stage("train")),
    "two values swapped": ({"train": {"epochs": 34, "batch": 12}}, from_stage("train")),
    "seed": ({"seed": 2}, from_stage("train")),
    "classify": ({"classify": {"images": 10}}, from_stage("classify")),
    "propagate": ({"propagate": {"gap_s": 5}}, from_stage("propagate")),
    "recording": (movies(b={"recording": "day2"}), from_stage("propagate")),
    "smooth": ({"smooth": {"window_s": 1}}, from_stage("smooth")),
    "corrections": ({"smooth": {"corrections": "corrections.csv"}}, from_stage("smooth")),
    "body points": (movies(b={"poses": ["poses.json"]}), from_stage("smooth")),
    "export": ({"export": {"formats": []}}, {"export", "report"}),
    "files for another tool": ({"export": {"formats": ["hdf5", "mot"]}}, {"export", "report"}),
    "px in a mm": ({"scale": {"px_per_mm": 8}}, {"export", "report"}),
    "beginning of a movie": (movies(b={"start": "2026-05-17 14:03:20"}), {"export", "report"}),
    "length of trails": ({"overlay": {"trail_s": 5}}, {"overlay"}),
    "what is drawn": ({"overlay": {"show": ["names"]}}, {"overlay"}),
    "stretches that are shown": (movies(b={"override": {"overlay": {"intervals": [[3, 9]]}}}), {"overlay", "report"}),
    "no overlay movies": ({"overlay": {"write": False}}, {"report"}),
    "close-ups": ({"closeups": {"write": True}}, {"closeups", "report"}),
    "size of close-ups that are not written": ({"closeups": {"size": 96}}, set()),
    "mosaics": ({"mosaic": {"write": True}}, {"mosaic", "report"}),
    "score": ({"score": {"radius": 10}}, {"report"}),
    "truth": ({"score": {"truth": "other.csv"}}, {"report"}),
    "name of the experiment": ({"experiment": "ants2"}, from_stage("index")),
    "folder of results": ({"results": "elsewhere"}, from_stage("index")),
}


@pytest.fixture(scope="module")
def planned(finished: Bench) -> dict[str, Run]:
    """What would run after each of the EDITS."""
    return dict(zip(EDITS, finished.plans([changed(BASE, changes) for changes, _ in EDITS.values()]), strict=True))


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_runs_what_depends_on_it_and_nothing_else(planned: dict[str, Run], edit: str) -> None:
    assert "Building DAG of jobs" in planned[edit].text
    assert planned[edit].rules == EDITS[edit][1]


def test_an_edit_of_every_key_of_the_experiment_file_is_tested() -> None:
    # `simulate` has a test of its own below.
    assert {key for changes, _ in EDITS.values() for key in changes} == set(Experiment.model_fields) - {"simulate"}


def test_nothing_runs_again_without_a_change(finished: Bench) -> None:
    assert "Nothing to be done" in finished.plan(BASE).text


@pytest.mark.parametrize("latest_first", [False, True])
def test_files_that_were_only_touched_make_nothing_run_again(finished: Bench, latest_first: bool) -> None:
    found = (path for path in finished.folder.rglob("*") if path.is_file() and ".snakemake" not in path.parts)
    times = {path: path.stat().st_mtime_ns for path in sorted(found, reverse=latest_first)}
    for second, path in enumerate(times):
        os.utime(path, (2_000_000_000 + second,) * 2)
    assert "Nothing to be done" in finished.plan(BASE).text
    for path, time_ns in times.items():
        os.utime(path, ns=(time_ns, time_ns))


def test_a_moved_folder_of_results_makes_nothing_run_again(finished: Bench, tmp_path: Path) -> None:
    shutil.copytree(finished.folder / "results", tmp_path / "elsewhere")
    assert "Nothing to be done" in finished.plan({**BASE, "results": str(tmp_path / "elsewhere")}).text


def test_a_fresh_checkout_makes_nothing_run_again(finished: Bench, tmp_path: Path) -> None:
    copy_project(tmp_path / "checkout")
    fresh = Bench(finished.folder, finished.stages, tmp_path / "checkout" / "Snakefile")
    assert "Nothing to be done" in fresh.plan(BASE).text


@pytest.mark.parametrize("seconds", [-1_000_000, 1_000_000])
def test_a_movie_that_was_replaced_runs_all_of_it_whatever_its_time(finished: Bench, seconds: int) -> None:
    stages = ("index", "background", "segment", "tracklets", "classify", "propagate", "smooth", "overlay")
    movie = finished.folder / "b.mp4"
    with edited(movie, "movie b", "movie B"):
        os.utime(movie, (movie.stat().st_mtime + seconds,) * 2)
        assert finished.plan(BASE).jobs == {f"{stage} b" for stage in stages} | JOINT


def test_an_artifact_that_was_deleted_is_made_anew_when_it_is_needed_or_named(finished: Bench) -> None:
    results = finished.folder / "results" / "ants"
    with away(results / "tracklets" / "b.h5"):
        assert finished.plan(BASE).jobs == set()
        assert finished.plan(BASE, "ants/tracklets/b.h5").jobs == {"tracklets b"}
        # As it is after a job that failed because the artifact is damaged.
        with away(results / "smooth" / "b.h5"), away(results / "trajectories.csv"):
            planned = finished.plan(BASE)
    assert planned.jobs == {f"{stage} b" for stage in ("tracklets", "classify", "propagate", "smooth", "overlay")} | JOINT


def test_the_order_of_keys_means_nothing(finished: Bench) -> None:
    turned = {key: dict(reversed(value.items())) if isinstance(value, dict) else value for key, value in reversed(BASE.items())}
    assert "Nothing to be done" in finished.plan(turned).text


def test_a_value_from_the_command_line_counts_like_one_in_the_file(finished: Bench) -> None:
    assert finished.plan(BASE, "--config", "smooth={window_s: 1}").rules == from_stage("smooth")


@contextmanager
def edited(path: Path, old: str, new: str) -> Iterator[None]:
    """The file with new text for old, and afterwards as it was."""
    before, time_ns = path.read_text(encoding="utf-8"), path.stat().st_mtime_ns
    path.write_text(before.replace(old, new), encoding="utf-8")
    try:
        yield
    finally:
        path.write_text(before, encoding="utf-8")
        os.utime(path, ns=(time_ns, time_ns))


@contextmanager
def away(path: Path) -> Iterator[None]:
    """The file is not there, and afterwards as it was."""
    kept = path.rename(path.with_suffix(".away"))
    try:
        yield
    finally:
        kept.rename(path)


JOINT = {"export", "report"}


def test_animals_that_move_to_another_arena_need_new_names_but_no_new_tracklets(finished: Bench) -> None:
    two = [
        {"name": str(k), "include": [{"polygon": [[k, 0], [k + 9, 0], [k + 9, 9]]}], "identities": [who]}
        for k, who in ((0, "red"), (10, "blue"))
    ]
    before = {**BASE, "results": "more", "arenas": two}
    assert finished.run(before, "--until", "smooth").status == 0
    other = [arena | {"identities": [who]} for arena, who in zip(two, ("blue", "red"), strict=True)]
    planned = finished.plan({**before, "arenas": other}, "--until", "smooth")
    assert planned.rules == {"trainset", "train", "classify", "propagate", "smooth"}


def test_an_interval_of_one_movie_runs_its_own_background(finished: Bench) -> None:
    planned = finished.plan(changed(BASE, movies(b={"override": {"segment": {"intervals": [[0, 9]]}}})))
    stages = ("background", "segment", "tracklets", "classify", "propagate", "smooth", "overlay")
    assert planned.jobs == {f"{stage} b" for stage in stages} | JOINT


def test_a_repainted_mask_runs_what_looks_at_it(finished: Bench) -> None:
    masked = {**BASE, "results": "more", "experiment": "masked", "arenas": [{"mask": "mask.png"}]}
    mask = finished.folder / "mask.png"
    mask.write_text("a mask")
    assert finished.run(masked, "--until", "segment").status == 0
    assert finished.plan(masked, "--until", "segment").rules == set()
    with edited(mask, "a mask", "another"):
        assert finished.plan(masked, "--until", "segment").rules == {"segment"}


def test_a_setting_of_one_movie_runs_its_stages_and_the_joint_ones(finished: Bench) -> None:
    stages = ("segment", "tracklets", "classify", "propagate", "smooth", "overlay")
    planned = finished.plan(changed(BASE, movies(b={"override": {"segment": {"difference": 30}}})))
    assert planned.jobs == {f"{stage} b" for stage in stages} | JOINT


def test_a_new_movie_leaves_the_others_and_the_classifier_alone(finished: Bench) -> None:
    stages = ("index", "background", "segment", "tracklets", "classify", "propagate", "smooth", "overlay")
    planned = finished.plan({**BASE, "movies": [*BASE["movies"], {"name": "c", "file": "c.mp4"}]})
    assert planned.jobs == {f"{stage} c" for stage in stages} | JOINT


def test_new_labels_run_the_classifier_and_what_follows(finished: Bench) -> None:
    with edited(finished.folder / "labels.csv", "a1,3,10", "a1,4,10"):
        assert finished.plan(BASE).rules == from_stage("trainset")


def test_without_labels_the_workflow_goes_as_far_as_suggestions_need(finished: Bench) -> None:
    (finished.folder / "unlabelled.csv").write_text("movie,frame,x,y,label\n")
    file = finished.write(changed(BASE, {"animals": {"labels": "unlabelled.csv"}, "results": "unlabelled"}), "unlabelled")
    planned = finished.snakemake("before_labels", "--configfile", file, "--dry-run")
    assert planned.rules - {"before_labels"} == {"index", "background", "segment", "tracklets"}
    whole = finished.snakemake("--configfile", file, "--dry-run")
    assert whole.status != 0
    assert "begin the command with snakemake before_labels" in whole.text


def test_new_facts_run_the_identities_and_what_follows(finished: Bench) -> None:
    told = {**BASE, "results": "more", "experiment": "told", "animals": BASE["animals"] | {"facts": "facts.csv"}}
    assert finished.run(told, "--until", "propagate").status == 0
    assert finished.plan(told, "--until", "propagate").rules == set()
    with edited(finished.folder / "facts.csv", "is,red", "not,red"):
        assert finished.plan(told).rules == from_stage("propagate")


def test_new_corrections_run_the_positions_and_what_follows(finished: Bench) -> None:
    told = {**BASE, "smooth": {"corrections": "corrections.csv"}, **movies(b={"poses": ["poses.json"]})}
    assert finished.run(told).status == 0
    assert finished.plan(told).rules == set()
    with edited(finished.folder / "corrections.csv", "10,20", "10,21"):
        assert finished.plan(told).rules == from_stage("smooth")
    with edited(finished.folder / "poses.json", "{}", "{ }"):
        assert finished.plan(told).jobs == {"smooth b", "overlay b", "export", "report"}
    assert finished.run(BASE).status == 0


def test_a_new_version_of_a_stage_runs_it_and_what_follows(finished: Bench) -> None:
    with edited(finished.stages / "herdbook" / "smooth.py", "STAGE_VERSION = 1", "STAGE_VERSION = 2"):
        assert finished.plan(BASE).rules == from_stage("smooth")


def test_animals_without_identity_need_no_classifier(finished: Bench) -> None:
    raw = {**BASE, "experiment": "nameless", "animals": {"marking": "none"}}
    assert finished.plan(raw).rules == from_stage("index") - {"trainset", "train", "classify"}


def test_only_labelled_movies_make_the_training_set(finished: Bench) -> None:
    (call,) = [call for stage, call in finished.calls() if stage == "trainset"]
    assert [word for word in call if word.startswith("ants/segment/")] == ["ants/segment/a1.h5"]


def test_a_recording_goes_on_from_its_previous_movie(finished: Bench) -> None:
    previous = {
        call[call.index("--blobs") + 1]: call[call.index("--previous") + 1 : call.index("--out")]
        for stage, call in finished.calls()
        if stage == "tracklets"
    }
    assert previous == {"ants/segment/a1.h5": [], "ants/segment/a2.h5": ["ants/segment/a1.h5"], "ants/segment/b.h5": []}


def test_the_demo_runs_to_its_score_without_a_file_named(demo: tuple[Bench, Run]) -> None:
    bench, done = demo
    assert done.status == 0, done.text
    assert "profiles/default" in done.text
    closing = done.text[done.text.index("Complete log") :]
    assert "made by report" in closing
    assert str(bench.folder / "results" / "demo" / "report" / "report.html") in closing


def test_an_edit_of_the_simulation_runs_everything(demo: tuple[Bench, Run]) -> None:
    bench, _ = demo
    planned = bench.snakemake("--dry-run", "--config", "simulate={frames: 80}")
    assert planned.rules == {"simulate", *from_stage("index")}


def test_close_ups_and_mosaics_depend_on_their_own_wishes_alone(wished: tuple[Bench, dict[str, Any]]) -> None:
    bench, raw = wished
    assert "Nothing to be done" in bench.plan(raw).text
    for changes, expected in (
        ({"closeups": {"head_up": True}}, {"closeups"}),
        ({"mosaic": {"size_body": 3}}, {"mosaic"}),
        # The report links to the moments that are shown.
        ({"mosaic": {"speed": 4}}, {"mosaic", "report"}),
        ({"animals": {"body_length": 30}}, {"closeups", "mosaic"}),
        ({"smooth": {"window_s": 1}}, from_stage("smooth") | {"closeups", "mosaic"}),
    ):
        assert bench.plan(changed(raw, changes)).rules == expected
    assert (bench.folder / "results" / "e" / "closeups" / "m" / "red.mp4").is_file()


@pytest.mark.parametrize("stage", [*STAGES, *WISHED])
def test_a_stage_takes_the_arguments_of_its_rule(
    demo: tuple[Bench, Run], wished: tuple[Bench, dict[str, Any]], stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = wished[0] if stage in WISHED else demo[0]
    calls = [call for name, call in bench.calls() if name == stage]
    assert calls
    module = importlib.import_module(f"herdbook.{stage}")
    real: Callable[..., None] = module.run_stage
    jobs: list[Any] = []
    monkeypatch.setattr(module, "run_stage", lambda name, version, work, **options: real(name, version, jobs.append, **options))
    # The stand-ins' artifacts have no origin to record.
    monkeypatch.setattr(Job, "write_record", lambda *_: None)
    for call in calls:
        # Settings of all movies are too long for a command line: they come from there.
        monkeypatch.setattr(sys, "stdin", io.StringIO("{}"))
        module.main(call)
    assert [job.stage for job in jobs] == [stage] * len(calls)


NAMES = ["it's; here", "$(touch pwned)", "`touch pwned`", "ünï 蟻", "a.b \\c", "~", "*?[x]", "%s|&,"]


def test_names_are_taken_as_they_are(stages: Path, tmp_path: Path) -> None:
    bench = Bench(tmp_path / "a folder's $HOME", stages)
    bench.movies(*NAMES)
    name, recording = 'ants "16" $(touch pwned)', 'day "1" & more'
    listed = [{"name": movie, "file": f"{movie}.mp4", "recording": recording} for movie in NAMES]
    raw = {"experiment": name, "movies": listed, "animals": {"marking": "none"}, "background": {"scope": "recording"}}
    done = bench.run(raw, "--until", "segment")
    assert done.status == 0, done.text
    calls = bench.calls()
    given = {call[call.index("--movie") + 1] for stage, call in calls if stage == "segment"}
    assert given == {str(bench.folder / f"{movie}.mp4") for movie in NAMES}
    (background,) = [call for stage, call in calls if stage == "background"]
    assert background[background.index("--out") + 1] == f"{name}/background/{recording}.h5"
    assert {path.stem for path in (bench.folder / "results" / name / "segment").glob("*.h5")} == set(NAMES)
    assert not list(tmp_path.rglob("pwned"))
    assert bench.plan(raw, "--until", "segment").jobs == set()


def test_a_broken_movie_is_told_and_the_others_go_on(stages: Path, tmp_path: Path) -> None:
    bench = Bench(tmp_path, stages)
    bench.movies("broken", "whole")
    listed = [{"name": name, "file": f"{name}.mp4"} for name in ("broken", "whole")]
    done = bench.run({"experiment": "e", "movies": listed, "animals": {"marking": "none"}})
    assert done.status != 0
    assert "broken.mp4 ends after 7 of 900 frames" in done.text
    assert (tmp_path / "results" / "e" / "smooth" / "whole.h5").exists()


SMALL = {"experiment": "e", "movies": [{"name": "m", "file": "m.mp4"}], "animals": {"marking": "none"}}
MARKED = {"marking": "marked", "identities": ["red"], "labels": "labels.csv"}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"movies": [{"name": n, "file": f"{n}.mp4"} for n in ("m", "lost", "gone")]}, ["movie lost", "lost.mp4", "movie gone"]),
        ({"segmnt": {}, "smooth": {"window": 1}}, ["did you mean 'segment'", "did you mean 'window_s'"]),
        ({"score": {"truth": "truth.csv"}}, ["score.truth", "truth.csv"]),
        ({"animals": {**MARKED, "facts": "no.csv"}}, ["animals.facts", "no.csv"]),
        ({"animals": MARKED}, ["labels.csv", "movie, frame, x, y, label"]),
        ({"simulate": {}}, ["movie m", "e/simulate/m.mp4"]),
        ({"experiment": "a{movie}"}, ["'a{movie}'", "must not hold"]),
    ],
    ids=["missing movies", "unknown keys", "missing truth", "missing facts", "missing labels", "simulated movie elsewhere", "braces"],
)
def test_a_fault_of_the_user_is_told_on_one_screen(stages: Path, tmp_path: Path, changes: dict[str, Any], expected: list[str]) -> None:
    bench = Bench(tmp_path, stages)
    bench.movies("m")
    done = bench.run(changed(SMALL, changes), "--dry-run")
    assert done.status != 0
    assert all(words in done.text for words in expected), done.text
    assert "Traceback" not in done.text
    assert len(done.text.splitlines()) < 10
