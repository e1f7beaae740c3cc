"""Snakemake with the workflow of Herdbook: where that is, the command that runs it, and which jobs it would run."""

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import herdbook
from herdbook.errors import HerdbookError

# The workflow within an installed package; setup.py puts it there.
PACKAGED = "project"
# Options that say how many jobs run at once, without which Snakemake runs nothing.
_HOW_MANY = re.compile(r"--(cores|jobs|profile|executor)(=.*)?|-[cje].*")


@dataclass(frozen=True)
class PlannedJob:
    """A job that would run: its rule, and the movie, scene or recording that it is for, "" for all."""

    rule: str
    unit: str


def project_snakefile() -> Path | None:
    """The Snakefile of the checkout in which we are, or that contains this package, or else that of the installed package."""
    package = Path(herdbook.__file__).resolve().parent
    for folder in (Path.cwd(), package.parents[1]):
        if (folder / "src" / "herdbook" / "version.py").is_file() and (folder / "Snakefile").is_file():
            return folder / "Snakefile"
    packaged = package / PACKAGED / "Snakefile"
    return packaged if packaged.is_file() else None


def is_packaged(snakefile: Path) -> bool:
    """Whether a Snakefile came with the installed package, and is no checkout in which people work."""
    return snakefile.parent == Path(herdbook.__file__).resolve().parent / PACKAGED


def snakemake_command(experiment_file: Path, options: Sequence[str] = (), snakefile: Path | None = None) -> list[str]:
    """The command that runs the workflow on an experiment; all cores are used unless `options` say otherwise.

    Raises HerdbookError if there is no Snakefile.
    """
    snakefile = snakefile or project_snakefile()
    if snakefile is None:
        raise HerdbookError(f"there is no workflow beside this package ({Path(herdbook.__file__).parent}). Install Herdbook again.")
    told = any(map(_HOW_MANY.fullmatch, options))
    cores = [] if told else ["--cores", "all"]
    given = ["--configfile", str(experiment_file.resolve()), "--snakefile", str(snakefile)]
    return [sys.executable, "-m", "snakemake", *given, *cores, *options]


def snakemake_environment() -> dict[str, str]:
    """The environment for Snakemake: colours and terminals play no part in what it prints."""
    return {**os.environ, "NO_COLOR": "1", "PYTHONUNBUFFERED": "1"}


def planned_jobs(snakefile: Path, experiment_file: Path) -> dict[str, int]:
    """Number of jobs of each rule that `snakemake` would run now; nothing is run. Raises HerdbookError with the message of snakemake."""
    output = _dry_run(snakefile, experiment_file, ["--quiet", "rules"])
    return {rule: int(count) for rule, count in re.findall(r"^(\w+) +(\d+)$", output, re.MULTILINE) if rule != "total"}


def list_jobs(snakefile: Path, experiment_file: Path, target: str = "all") -> list[PlannedJob]:
    """The jobs that would run now for a target, in the order of rules that Snakemake gives; nothing is run. Raises HerdbookError."""
    found = []
    # The jobs of a group are indented.
    for block in re.split(r"\n(?= *(?:local)?rule )", _dry_run(snakefile, experiment_file, [target]))[1:]:
        rule = block.split()[1].rstrip(":")
        wildcard = re.search(r"^ +wildcards: \w+=(.*)$", block, re.MULTILINE)
        if rule != target:
            found.append(PlannedJob(rule, wildcard[1] if wildcard else ""))
    order = list(Counter(job.rule for job in found))
    return sorted(found, key=lambda job: order.index(job.rule))


def _dry_run(snakefile: Path, experiment_file: Path, options: Sequence[str]) -> str:
    command = snakemake_command(experiment_file, ["--cores", "1", *options, "--dry-run"], snakefile)
    ended = subprocess.run(
        command, cwd=snakefile.parent, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, env=snakemake_environment()
    )
    output = ended.stdout + ended.stderr
    if ended.returncode:
        raise HerdbookError(f"snakemake cannot plan this experiment:\n{output.strip()}")
    return output
