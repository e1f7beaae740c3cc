"""The data dictionary explains the columns that the files have, all of them and no other; docs/tables.md is that of the code."""

import pandas as pd
import pytest

from herdbook.artifacts.store import open_artifact
from herdbook.experiment.output import FormatName
from herdbook.formats.files import FORMAT_TABLES, MOVIE_FILES
from herdbook.identity.doubts import DOUBT_COLUMNS
from herdbook.tables.dictionary import (
    BODY_POINTS,
    BY_FORMAT,
    DOUBTFUL,
    EVERYTHING,
    MOT_NAMES,
    TRAJECTORIES,
    TRAJECTORIES_HDF5,
    describe_tables,
    names_of,
)
from herdbook.tables.dictionary_page import tables_page
from herdbook.tables.positions import COLUMNS, body_point_table
from tests.conftest import ROOT
from tests.support.table_cases import no_body_points, write_results

TABLES_PAGE = ROOT / "docs" / "tables.md"


def test_the_page_of_tables_is_up_to_date():
    assert TABLES_PAGE.read_text(encoding="utf-8") == tables_page(), "run python -m herdbook.tables.dictionary_page"


def test_every_format_is_explained_and_has_files():
    assert set(BY_FORMAT) == set(FormatName.__args__) == {*FORMAT_TABLES, *MOVIE_FILES}
    for name, files in MOVIE_FILES.items():
        first = {file.format(movie="<movie>") for file in files}
        assert {one.file for one in BY_FORMAT[name]} <= first


def test_columns_of_files_are_the_explained_ones(tmp_path):
    folder = write_results(tmp_path, formats=["hdf5", "parquet", "motion", "mot", "deeplabcut"])
    explained = {one.file: one for one in describe_tables(list(BY_FORMAT), reviewed=True, points=True, arenas=True)}
    for one in explained.values():
        path = folder / one.file
        if path.suffix == ".csv" and path.is_file():
            assert pd.read_csv(path).columns.tolist() == names_of(one), one.file
    assert pd.read_parquet(folder / "trajectories.parquet").columns.tolist() == names_of(BY_FORMAT["parquet"][0])
    assert pd.read_csv(folder / "mot" / "a.names.csv").columns.tolist() == names_of(MOT_NAMES)
    with open_artifact(folder / "trajectories.h5", "export") as file:
        assert set(file) == set(names_of(explained["trajectories.h5"])) == {*names_of(TRAJECTORIES_HDF5), "arena"}
    assert tuple(names_of(TRAJECTORIES)) == COLUMNS
    assert tuple(names_of(DOUBTFUL)) == DOUBT_COLUMNS
    nothing = body_point_table("m", no_body_points(), pd.Series(dtype=float).to_numpy())
    assert names_of(BODY_POINTS) == nothing.columns.tolist()


def test_the_dictionary_of_an_experiment_explains_its_tables_and_no_other(tmp_path):
    table = pd.read_csv(write_results(tmp_path, formats=["hdf5", "mot"]) / "data_dictionary.csv", keep_default_na=False)
    assert table.file.unique().tolist() == [
        *("trajectories.csv", "events.csv", "tracklets.csv", "trajectories.h5", "mot/<movie>.csv", "mot/<movie>.names.csv"),
        "data_dictionary.csv",
    ]
    assert (table.meaning != "").all()


@pytest.mark.parametrize("one", EVERYTHING, ids=lambda one: one.file)
def test_every_column_of_a_file_is_explained_once(one):
    assert len(set(names_of(one))) == len(one.columns)
    assert all(column.meaning and column.type for column in one.columns)
