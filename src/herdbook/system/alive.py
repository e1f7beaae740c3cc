"""Whether a process still lives: its number alone does not tell, for numbers are used again."""

import subprocess
from contextlib import suppress
from pathlib import Path


def process_start(pid: int) -> str | None:
    """A text that tells a process from others of the same number; None if there is none, or if it has ended and was not yet fetched."""
    try:
        # The name of the process stands in brackets and may hold anything.
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        if Path("/proc/self/stat").exists():
            return None
        told = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout.strip()
        return None if not told or told.startswith("Z") else told.partition(" ")[2].strip()
    return None if fields[0] in "ZX" else fields[19]


def group_members(group: int) -> list[int]:
    """The processes of a group of processes."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError, IndexError):
            fields = Path(folder, "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            if int(fields[2]) == group:
                found.append(int(folder.name))
    if found or Path("/proc/self/stat").exists():
        return found
    told = subprocess.run(["ps", "-A", "-o", "pid=,pgid="], capture_output=True, text=True, check=False).stdout
    pairs = (map(int, line.split()) for line in told.splitlines())
    return [pid for pid, its in pairs if its == group]
