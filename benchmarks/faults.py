"""Every stage killed at three moments, stopped by a limit on the size of files, given damaged artifacts: what is lost.

    python benchmarks/faults.py
    python benchmarks/faults.py --rounds 1

Runs tests/workflow/test_faults.py three times, such that each stage is killed once before its work, once in the middle of it and once
when all but its last file is written. The counts go into results/trust_faults.json and docs/trust.md.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

from trust_page import ROOT, keep_result

TESTS = ROOT / "tests" / "workflow" / "test_faults.py"
KINDS = {
    "a_killed_stage_is_made_again_as_if_nothing_had_happened": "a stage killed, then snakemake again: the files of an undisturbed run",
    "after_kills_one_job_at_a_time_makes_the_bytes_that_two_make_undisturbed": "all files after so many kills, byte by byte",
    "a_killed_snakemake_leaves_a_lock_and_the_next_one_reports_how_it_is_removed": "snakemake itself killed: a lock, and how to remove it",
    "a_file_that_may_not_grow_further_is_reported": "a stage whose files may not grow to their size",
    "stages_that_could_not_write_leave_what_was_there": "what was there after all of these stages",
    "a_full_disk_is_reported_and_the_run_goes_on_when_there_is_space": "a full disk, and space again",
    "a_folder_of_results_that_cannot_be_written_is_reported": "a folder of results that is read-only",
    "a_second_snakemake_is_refused_and_the_first_one_ends_well": "two snakemakes on one experiment",
    "a_damaged_artifact_is_reported_with_the_rule_that_makes_it": "a stage given artifacts cut, of another kind, of another version",
}


def run_round(shift: int, folder: Path) -> Counter[tuple[str, str]]:
    """How often each kind of fault was survived, lost or skipped."""
    told = folder / f"{shift}.xml"
    command = [sys.executable, "-m", "pytest", "-n", "0", "-q", f"--junitxml={told}", str(TESTS)]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"HERDBOOK_FAULTS_SHIFT": str(shift)}, capture_output=True, text=True, check=False
    )
    if done.returncode not in (0, 1):
        sys.exit(done.stdout[-3000:] + done.stderr[-3000:])
    found: Counter[tuple[str, str]] = Counter()
    for case in ElementTree.parse(told).iter("testcase"):
        name = re.sub(r"\[.*", "", case.attrib["name"]).removeprefix("test_")
        states = [part.tag for part in case if part.tag in ("failure", "error", "skipped")]
        found[name, states[0] if states else "survived"] += 1
        if states and states[0] != "skipped":
            print(f"{case.attrib['name']}, round {shift}: {states[0]}", flush=True)
    return found


def main() -> None:
    """Run all rounds and keep the counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, choices=(1, 2, 3))
    told = parser.parse_args()
    found: Counter[tuple[str, str]] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        for shift in range(told.rounds):
            found += run_round(shift, Path(folder))
    rows = []
    for name, text in KINDS.items():
        survived, skipped = found[name, "survived"], found[name, "skipped"]
        lost = found[name, "failure"] + found[name, "error"]
        rows.append([text, survived + lost, survived, lost, skipped])
    keep_result(
        "faults",
        "python benchmarks/faults.py",
        "Faults",
        """The whole chain on two small simulated movies, close-ups and mosaics included. Each stage is killed (SIGKILL) before its work,
        in the middle of it and when all but its last file is written; snakemake then runs again, as a user would run it, and at last all
        files are those of a run without a fault. A stage that cannot write says so, names the file and what to do, ends with status 2,
        and leaves what was there. *tried* counts tests, each of one stage; those of damaged artifacts try several files of it.""",
        {"tried": sum(row[1] for row in rows), "survived": sum(row[2] for row in rows), "lost": sum(row[3] for row in rows)},
        [{"header": ["fault", "tried", "survived", "lost", "not possible here"], "rows": rows}],
    )
    unknown = {name for name, _ in found} - KINDS.keys()
    if unknown or any(row[3] for row in rows):
        sys.exit(f"faults were not survived, or tests are not in the table: {', '.join(sorted(unknown)) or 'see above'}")


if __name__ == "__main__":
    main()
