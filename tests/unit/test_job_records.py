"""Records of the origin of files that cannot hold it themselves."""

from pathlib import Path

import pytest

from herdbook.artifacts.origin import check_unchanged
from herdbook.errors import HerdbookError
from herdbook.job import Job
from herdbook.system.files import write_text


def test_a_table_that_is_not_the_one_of_its_record_is_reported(tmp_path: Path) -> None:
    table = tmp_path / "events.csv"
    write_text(table, "movie,frame\nm,1\n")
    # No record yet: nothing to compare it with.
    check_unchanged(table)
    Job("export", 1, {"out": [table]}, {}, 1).write_record(tmp_path / "provenance" / "export.json", [table])
    check_unchanged(table)
    write_text(table, "movie,frame\nm,2\n")
    with pytest.raises(HerdbookError, match=r"events\.csv: not the file .* the rule 'export' makes it again"):
        check_unchanged(table)
