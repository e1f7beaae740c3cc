"""Profiles of Snakemake that a run may be started with: those beside the workflow, and those of the person and of the computer."""

import os
from pathlib import Path

from herdbook.system.snakemake import project_snakefile

# It is used by every run anyway.
_ALWAYS = "default"


def profile_folders() -> dict[str, Path]:
    """The folder of each profile by its name."""
    snakefile = project_snakefile()
    own = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config", "snakemake")
    places = [Path("/etc/xdg/snakemake"), own, *([snakefile.parent / "profiles"] if snakefile else [])]
    found: dict[str, Path] = {}
    for place in places:
        for file in sorted(place.glob("*/config*.yaml")):
            if file.parent.name != _ALWAYS:
                found[file.parent.name] = file.parent
    return found
