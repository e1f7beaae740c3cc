"""What Snakemake prints, read while it runs."""

from pathlib import Path

from herdbook.app.running.run_log import DONE, FAILED, RUNNING, Pace, RunLog, pace_of, tail

BEGIN = """\
Job stats:
job           count
----------  -------
index             2
total            12

[Mon Nov 30 09:12:54 2026]
localrule index:
    input: /data/a.mp4
    output: e/index/a.h5
    log: e/logs/index/a.log
    jobid: 9
    wildcards: movie=a b=c
    resources: tmpdir=/tmp
[Mon Nov 30 09:12:54 2026]
rule report:
    log: e/logs/report/report.log
    jobid: 3
"""
END = """\
[Mon Nov 30 09:12:58 2026]
Finished jobid: 9 (Rule: index)
1 of 12 steps (8%) done
Error in rule report:
    message: None
    jobid: 3
    log: e/logs/report/report.log (check log file(s) for error details)
"""


def test_jobs_begin_end_and_fail(tmp_path: Path) -> None:
    path = tmp_path / "run.log"
    log = RunLog(path)
    log.refresh()
    path.write_text(BEGIN + "Finished jo")
    log.refresh()
    assert [(job.rule, job.unit, job.state) for job in log.jobs.values()] == [("index", "a b=c", RUNNING), ("report", "", RUNNING)]
    assert log.steps == (0, 12)
    path.write_text(BEGIN + END)
    log.refresh()
    assert [(job.rule, job.state, job.log) for job in log.jobs.values()] == [
        ("index", DONE, "e/logs/index/a.log"),
        ("report", FAILED, "e/logs/report/report.log"),
    ]
    assert log.steps == (1, 12)
    path.write_text("rule index:\n    jobid: 1\n")
    log.refresh()
    assert list(log.jobs) == [1]


def test_the_pace_is_that_of_the_last_line() -> None:
    log = "segment: 10/300 frames (3 %), 20 frames/s, 14 s left\nnote\nsegment: 60/300 frames (20 %), 30 frames/s, 8 s left\nx\n"
    assert pace_of(log) == Pace(60, 300, "frames", 30.0, 8.0)
    assert pace_of("nothing") is None


def test_the_end_of_a_long_log_begins_with_a_whole_line(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    path.write_text("".join(f"line {k}\n" for k in range(100)))
    assert tail(path, 20) == "line 98\nline 99\n"
    assert tail(tmp_path / "none.log") == ""
