"""Stage simulate: movies of simulated ants with the exact truth and a few labels, everything drawn from one seed."""

import argparse
from collections.abc import Sequence

from pydantic import ValidationError, validate_call

from herdbook.errors import HerdbookError
from herdbook.job import Job, run_stage
from herdbook.movie.simulated.recording import simulate_recording

STAGE = "simulate"
STAGE_VERSION = 2


def _work(job: Job) -> None:
    try:
        validate_call(simulate_recording)(job.file("out"), **job.settings)
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}, found {fault['input']!r}" for fault in error.errors()]
        raise HerdbookError("the simulation's settings have faults:\n  " + "\n  ".join(faults)) from error


def main(argv: Sequence[str] | None = None) -> None:
    """Run `python -m herdbook.stages.simulate --out FOLDER [--settings JSON] [--seed N]`; a seed given here goes first."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--seed", type=int)
    given, rest = parser.parse_known_args(argv)

    def work(job: Job) -> None:
        if given.seed is not None:
            job.settings["seed"] = given.seed
        _work(job)

    run_stage(STAGE, STAGE_VERSION, work, one=("out",), argv=rest)


if __name__ == "__main__":
    main()
