"""Stage export: headings that body points tell go into all files that hold headings."""

import h5py
import numpy as np
import pandas as pd
import pytest
from scipy.io import loadmat

from herdbook.artifacts.pose import FoundPoints
from herdbook.artifacts.store import Provenance
from herdbook.tables.positions import COLUMNS
from tests.support.table_cases import ANIMALS, FRAMES, write_results

FORMATS = ["hdf5", "parquet", "motion", "jaaba"]


def save_points(folder, told):
    """Points of both movies that tell a heading of 1.25 rad, surer than trajectories where `told` is more than 0.5."""
    none, shape = np.zeros((FRAMES, len(ANIMALS), 0)), (FRAMES, len(ANIMALS))
    parts = none, none, none.astype(np.float32), none.astype(np.float32), none.astype(bool), np.full(shape, 1.25, np.float32)
    sure = np.full(shape, told, np.float32), np.full(shape, 0.5, np.float32)
    for movie in "ab":
        FoundPoints(list(ANIMALS), [], *parts, np.zeros(shape, bool), *sure).save(folder / "pose" / f"{movie}.h5", Provenance("test", 1))


def test_surer_headings_of_points_are_in_every_file_with_headings(tmp_path):
    save_points(tmp_path, 0.75)
    folder = write_results(tmp_path, formats=FORMATS)
    table, parquet = pd.read_csv(folder / "trajectories.csv"), pd.read_parquet(folder / "trajectories.parquet")
    assert tuple(table.columns) == (*COLUMNS, "heading_confidence", "arena")
    for one in (table, parquet):
        assert set(one.heading) == {1.25}
        assert set(one.heading_confidence) == {0.75}
    with h5py.File(folder / "trajectories.h5") as file:
        assert set(file["heading"][...]) == {1.25}
        assert set(file["heading_confidence"][...]) == {0.75}
    thetas = np.concatenate([one.ravel() for one in loadmat(folder / "jaaba" / "a" / "trx.mat")["trx"]["theta"].ravel()])
    assert set(thetas[np.isfinite(thetas)]) == {1.25}
    words = pd.read_csv(folder / "data_dictionary.csv")
    for file in (table, "trajectories.csv"), (parquet, "trajectories.parquet"):
        assert words[words.file == file[1]].column.tolist() == file[0].columns.tolist()


def test_less_sure_headings_of_points_change_no_heading(tmp_path):
    plain = pd.read_csv(write_results(tmp_path / "plain", formats=FORMATS) / "trajectories.csv")
    save_points(tmp_path / "found", 0.25)
    table = pd.read_csv(write_results(tmp_path / "found", formats=FORMATS) / "trajectories.csv")
    assert table.heading.tolist() == pytest.approx(plain.heading.tolist(), nan_ok=True)
    assert set(table.heading_confidence) == {0.5}
    assert "heading_confidence" not in plain


def test_labels_too_few_leave_the_column_empty(tmp_path):
    save_points(tmp_path, 0.75)
    for path in (tmp_path / "pose").glob("*.h5"):
        found = FoundPoints.load(path)
        found.heading_confidence = found.trajectory_confidence = None
        found.save(path, Provenance("test", 1))
    assert pd.read_csv(write_results(tmp_path) / "trajectories.csv").heading_confidence.isna().all()
