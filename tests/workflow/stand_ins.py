"""The workflow with stand-ins for its stages, which only write their outputs: which jobs run, with which arguments, in seconds."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

import herdbook
from tests.conftest import ROOT

STAGES = (
    *("simulate", "index", "background", "segment", "tracklets", "trainset", "train"),
    *("classify", "propagate", "smooth", "export", "overlay", "report"),
)
# Stages that run only where the experiment asks for what they write.
OPTIONAL = ("closeups", "mosaic", "repair", "pose_trainset", "pose_train", "pose", "smooth_points")

SMALL: dict[str, Any] = {"experiment": "e", "movies": [{"name": "m", "file": "m.mp4"}], "animals": {"marking": "none"}}

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
    made = [out, *options.get("hdf5", []), *(options["card"] if stage in ("train", "pose_train") else [])]
    if stage == "simulate":
        movies = json.loads(options["settings"][0])["movies"]
        made = [out / name for name in (*(f"{movie}.mp4" for movie in movies), "labels.csv", "truth.csv")]
    if stage in ("segment", "propagate"):
        made.append(out.with_suffix(".excess.csv" if stage == "segment" else ".doubtful.csv"))
    if stage == "smooth":
        made += options["points"]
    if stage == "export":
        made += [path for kind in ("review", "pose_tables", "mistakes", "tables", "formats") for path in options[kind]]
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
# It tells its progress, and waits until a file `go` stands beside the movie.
SLOW = STAND_IN.replace(
    "def main(stage):",
    """
def main(stage):
    import time
    print("index: 30/300 frames (10 %), 15 frames/s, 18 s left", file=sys.stderr, flush=True)
    while not Path(sys.argv[sys.argv.index("--movie") + 1]).with_name("go").exists():
        time.sleep(0.05)
    real(stage)


def real(stage):""",
)

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
    """The result of a call of snakemake: exit status and everything it printed."""

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


def write_stand_ins(folder: Path, slow: Sequence[str] = ()) -> None:
    """Make this a folder that comes before the package on the path of Python: its stages are stand-ins, everything else is Herdbook's.

    The `slow` stages wait until they may go on.
    """
    package = folder / "herdbook"
    package.mkdir()
    real = str(Path(herdbook.__file__).parent)
    (package / "__init__.py").write_text(f"__path__.append({real!r})\n", encoding="utf-8")
    stages = package / "stages"
    stages.mkdir()
    (stages / "__init__.py").write_text("", encoding="utf-8")
    for stage in (*STAGES, *OPTIONAL):
        (stages / f"{stage}.py").write_text(SLOW if stage in slow else STAND_IN, encoding="utf-8")


def copy_project(folder: Path) -> Path:
    """A checkout of what snakemake reads, as new as can be."""
    for part in ("workflow", "profiles", "config", "envs"):
        shutil.copytree(ROOT / part, folder / part, copy_function=shutil.copyfile)
    shutil.copyfile(ROOT / "Snakefile", folder / "Snakefile")
    return folder


def changed(raw: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """The experiment with changes merged in, key by key; None takes a key away."""
    merged = dict(raw)
    for key, value in changes.items():
        merged[key] = changed(raw.get(key) or {}, value) if isinstance(value, dict) else value
    return {key: value for key, value in merged.items() if value is not None}


def from_stage(stage: str) -> set[str]:
    """The stages from this one on, all of which depend on it."""
    flow = ("index", "background", "segment", "tracklets", "trainset", "train", "classify", "propagate", "smooth")
    return {*flow[flow.index(stage) :], "export", "overlay", "report"}
