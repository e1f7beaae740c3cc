"""The workflow is a part of the installed package, herdbook/project; its files stand at the top of the project, for Snakemake."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

HERE = Path(__file__).parent
PARTS = ("Snakefile", "workflow", "profiles", "envs")


class BuildWithWorkflow(build_py):
    """Copies the workflow into the package that is built, but not where the package is used from a checkout."""

    def run(self) -> None:
        """Build the modules, and copy the workflow beside them."""
        super().run()
        if self.editable_mode:
            return
        project = Path(self.build_lib, "herdbook", "project")
        shutil.rmtree(project, ignore_errors=True)
        project.mkdir(parents=True)
        for part in PARTS:
            source = HERE / part
            if source.is_dir():
                shutil.copytree(source, project / part, ignore=shutil.ignore_patterns("__pycache__", ".*"))
            else:
                shutil.copy2(source, project / part)


setup(cmdclass={"build_py": BuildWithWorkflow})
