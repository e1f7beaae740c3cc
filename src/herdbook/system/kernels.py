"""Where compiled kernels are kept: in a folder of their own for each state of the code.

Numba notices itself that a kernel's source changed, but not that a class which the kernel was compiled for is no longer there: the first
job after an update would end in an error of Numba's. So kernels of another state of the code are not read.
"""

import hashlib
import shutil
from pathlib import Path

FOLDER, KEPT = ".numba_cache", 3
_PACKAGE = Path(__file__).resolve().parents[1]


def kernel_folder(results: Path, package: Path = _PACKAGE) -> Path:
    """The folder for compiled kernels within a folder of results; of those of other states of the code the latest are kept.

    A run that another state began may still use its own.
    """
    modules = sorted(package.rglob("*.py"))
    digest = hashlib.sha256()
    for module in modules:
        state = module.stat()
        digest.update(f"{module.relative_to(package)} {state.st_size} {state.st_mtime_ns} ".encode())
    folder = results / FOLDER / digest.hexdigest()[:16]
    others = [other for other in (results / FOLDER).glob("*") if other != folder and other.is_dir()]
    for other in sorted(others, key=lambda path: path.stat().st_mtime)[:-KEPT]:
        shutil.rmtree(other, ignore_errors=True)
    return folder
