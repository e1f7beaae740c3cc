"""The process that measures what `herdbook tune` proposes: `python -m herdbook.app.proposing.measuring OUT`, its task as JSON on stdin."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from herdbook.app.proposing.targets import dotted, present
from herdbook.commands.tuning.measure import compare_ways
from herdbook.commands.tuning.results import proposal_values
from herdbook.errors import HerdbookError
from herdbook.experiment.file import parse_experiment

# As many as `herdbook tune` takes.
FRAMES = 60


def measure(task: Mapping[str, Any]) -> dict[str, Any]:
    """The proposal for a movie of an experiment, with its values as changes by dotted key."""
    experiment = parse_experiment(task["raw"], Path(task["path"]))
    values = proposal_values(experiment, compare_ways(experiment, task["movie"], FRAMES))
    sections: dict[str, Any] = {name: values[name] for name in ("background", "segment") if name in values}
    changes = dotted(experiment, task["movie"], sections)
    return values | {"changes": changes, "was": present(experiment, task["movie"], changes)}


def main() -> None:
    """Read a task from the standard input, and write the proposal into the file that is the argument."""
    try:
        Path(sys.argv[1]).write_text(json.dumps(measure(json.load(sys.stdin))), encoding="utf-8")
    except HerdbookError as error:
        sys.exit(str(error).replace("\n", " "))


if __name__ == "__main__":
    main()
