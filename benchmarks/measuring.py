"""What several benchmarks measure with: CPU time, decoding alone, long movies, and the whole chain."""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np

SNAKEFILE = Path(__file__).resolve().parents[1] / "Snakefile"
# Imported by every Python at its start: each job of a stage tells its CPU time and its peak of memory.
TELLING = """
import atexit, json, os, resource, sys

def _tell():
    stage = os.path.basename(sys.argv[0])
    if os.path.basename(os.path.dirname(sys.argv[0])) != "stages" or not stage.endswith(".py"):
        return
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    peak = next(int(line.split()[1]) / 1024 for line in open("/proc/self/status") if line.startswith("VmHWM"))
    told = {"stage": stage[:-3], "cpu_s": sum(u.ru_utime + u.ru_stime for u in used), "peak_mb": max(peak, used[1].ru_maxrss / 1024)}
    with open(os.environ["TOLD"], "a") as file:
        file.write(json.dumps(told) + "\\n")

atexit.register(_tell)
"""


def cpu_of(work: Callable[[], object]) -> float:
    """CPU seconds of one call after a warm-up."""
    work()
    start = time.process_time()
    work()
    return time.process_time() - start


def decode_only(movie: Path) -> int:
    """Decode with PyAV in one thread and touch the luma plane; returns the number of frames."""
    with av.open(str(movie)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "NONE"
        stream.codec_context.thread_count = 1
        count = 0
        for frame in container.decode(stream):
            np.frombuffer(frame.planes[0], np.uint8)
            count += 1
    return count


def loop_movie(movie: Path, times: int, out: Path) -> None:
    """The same packets again and again, with time stamps that go on: a long movie without coding anything."""
    with av.open(str(movie)) as source, av.open(str(out), "w") as target:
        stream = source.streams.video[0]
        copy = target.add_stream_from_template(stream)
        step = 0
        for _ in range(times):
            source.seek(0)
            last = 0
            for packet in source.demux(stream):
                if packet.pts is None:
                    continue
                last = max(last, packet.pts + packet.duration)
                packet.pts, packet.dts = packet.pts + step, packet.dts + step
                packet.stream = copy
                target.mux(packet)
            step += last


def run_chain(file: Path, cores: int, *targets: str) -> tuple[float, float]:
    """Run snakemake to the report, or to the targets; returns wall and CPU time (s)."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(SNAKEFILE), "--configfile", str(file), "--cores", str(cores), *targets]
    wall, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, cwd=file.parent, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(done.stdout)
    return time.perf_counter() - wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def jobs_of(file: Path) -> list[dict[str, Any]]:
    """Run snakemake to the report, one job at a time; returns of each job its stage, CPU time (s) and peak of memory (MB)."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "sitecustomize.py").write_text(TELLING, encoding="utf-8")
        package = str(SNAKEFILE.with_name("src"))
        command = [sys.executable, "-m", "snakemake", "--snakefile", str(SNAKEFILE), "--configfile", str(file), "--cores", "1"]
        environment = os.environ | {"PYTHONPATH": f"{folder}{os.pathsep}{package}", "TOLD": str(folder / "told.jsonl")}
        done = subprocess.run(
            command, cwd=file.parent, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", check=False
        )
        if done.returncode:
            sys.exit(done.stdout[-5000:])
        return [json.loads(line) for line in (folder / "told.jsonl").read_text(encoding="utf-8").splitlines()]


def markdown(rows: Sequence[dict[str, str]]) -> str:
    """The rows as a table."""
    lines = [" | ".join(rows[0]), " | ".join(["---"] * len(rows[0])), *(" | ".join(row.values()) for row in rows)]
    return "\n".join(f"| {line} |" for line in lines)
