"""The commands `herdbook status`, `herdbook provenance` and `herdbook summary`: the state of an experiment, the origin of a file, and one
table of many experiments.
"""

import json
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from herdbook.commands.options import AsJson, ExperimentFile
from herdbook.commands.screen import add_row, add_rows, echo, show, text_table


def status(file: ExperimentFile) -> None:
    """Show the state of each stage for each movie of an experiment, and which files are missing or stale."""
    from herdbook.commands.status import DONE, experiment_status
    from herdbook.experiment.file import load_experiment
    from herdbook.report.assumptions import read_expected_error

    experiment = load_experiment(file)
    found = experiment_status(experiment)
    stages = list(dict.fromkeys(stage for states in found.movies.values() for stage in states))
    table = text_table("movie", *stages, box=None, padding=(0, 1, 0, 0))
    for movie, states in found.movies.items():
        add_row(table, movie, *(states[stage] for stage in stages))
    show(table)
    echo("whole experiment: " + ", ".join(f"{stage} {state}" for stage, state in found.experiment.items()))
    for path, reason in found.reasons.items():
        echo(f"{path} {reason}")
    causes, told = read_expected_error(experiment.folder)
    for cause in causes:
        echo(f"warning: {cause}")
    if not told:
        echo("The expected error cannot be told.")
    if all(state == DONE for states in (*found.movies.values(), found.experiment) for state in states.values()):
        echo("All results exist and are up to date.")


def provenance(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="a file of the results: an artifact, a table, the report, an overlay movie")],
    as_json: AsJson = False,
) -> None:
    """Show the origin of a file of the results, back to the movies: stages, versions, settings, seeds, and whether inputs have changed."""
    from herdbook.artifacts import origin
    from herdbook.system.fingerprints import FOLDER, fingerprints_in

    kept = next((folder for folder in file.absolute().parents if (folder / FOLDER).is_dir()), None)
    with fingerprints_in(kept) if kept else nullcontext():
        chain = origin.trace_origin(file)
    echo(json.dumps(origin.as_json(chain), indent=1, ensure_ascii=False) if as_json else "\n".join(origin.describe(chain)))


def summary(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="experiment files")],
    out: Annotated[Path, typer.Option(help="folder of summary.csv and summary.html")] = Path(),
) -> None:
    """Write one table and one page of several experiments that have run."""
    from herdbook.commands.study import format_rows, study_table, write_study
    from herdbook.experiment.file import load_experiment

    table = study_table([load_experiment(file) for file in files])
    shown = text_table(
        *("experiment", "recording", "animals", "duration", "assigned", "expected error", "contacts/h"), box=None, padding=(0, 2, 0, 0)
    )
    add_rows(shown, format_rows(table))
    show(shown, soft_wrap=True)
    for path in write_study(out, table):
        echo(f"Wrote {path}.")
