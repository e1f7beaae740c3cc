"""Files of body points: what is in them comes back, and a written file is the read one with other places."""

import json
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from herdbook.errors import HerdbookError
from herdbook.formats.pose_files import read_poses, rewrite_poses
from herdbook.formats.poses import ONLY_ANIMAL, Poses
from tests.conftest import ROOT

FLIES = ROOT.parent / "shared" / "data" / "flies2" / "pose.analysis.h5"
ANIMALS, POINTS, FRAMES = ("left one", "Ä"), ("nose", "tail, base", "ear"), 7


@pytest.fixture
def poses(rng):
    xy = rng.uniform(0, 300, (FRAMES, 2, 3, 2))
    xy[2:4, 1, 0] = xy[5, 0] = np.nan
    return Poses(ANIMALS, POINTS, xy, rng.uniform(0, 1, (FRAMES, 2, 3)))


def dlc_table(poses, animals=True):
    columns, values = [], []
    for i, who in enumerate(poses.individuals):
        for k, point in enumerate(poses.points):
            for coord, column in (("x", poses.xy[:, i, k, 0]), ("y", poses.xy[:, i, k, 1]), ("likelihood", poses.likelihood[:, i, k])):
                columns.append(("net", who, point, coord) if animals else ("net", point, coord))
                values.append(column)
    names = ["scorer", "individuals", "bodyparts", "coords"] if animals else ["scorer", "bodyparts", "coords"]
    return pd.DataFrame(np.array(values).T, columns=pd.MultiIndex.from_tuples(columns, names=names))


def one_animal(poses):
    return Poses((ONLY_ANIMAL,), poses.points, poses.xy[:, :1], poses.likelihood[:, :1])


def write_sleap(path, poses):
    with h5py.File(path, "w") as file:
        file["tracks"] = poses.xy.transpose(1, 3, 2, 0)
        file["track_names"] = [name.encode() for name in poses.individuals]
        file["node_names"] = [name.encode() for name in poses.points]
        file["point_scores"] = poses.likelihood.transpose(1, 2, 0)
        file["track_occupancy"] = poses.known.any(axis=2).astype(np.uint8)
        file["edge_inds"] = np.array([[0, 1]])


def write_movement(path, poses, plural="s"):
    with h5py.File(path, "w") as file:
        text = h5py.string_dtype()
        sizes = {"time": np.arange(FRAMES) / 25, "space": ["x", "y"], f"keypoint{plural}": POINTS, f"individual{plural}": ANIMALS}
        for name, values in sizes.items():
            file.create_dataset(name, data=values, dtype=None if name == "time" else text).make_scale(name)
        position = file.create_dataset("position", data=poses.xy.transpose(0, 3, 2, 1))
        confidence = file.create_dataset("confidence", data=poses.likelihood.transpose(0, 2, 1))
        for variable, dims in ((position, list(sizes)), (confidence, [name for name in sizes if name != "space"])):
            for axis, name in enumerate(dims):
                variable.dims[axis].attach_scale(file[name])
        file.attrs["ds_type"] = "poses"


def write_layer(path, layer):
    path.write_text(json.dumps({name: {str(t): place for t, place in track.items()} for name, track in layer.items()}))
    return path


FILES = {
    "several animals.csv": (lambda path, poses: dlc_table(poses).to_csv(path), lambda poses: poses),
    "one animal.csv": (lambda path, poses: dlc_table(one_animal(poses), animals=False).to_csv(path), one_animal),
    "analysis.h5": (write_sleap, lambda poses: poses),
    "movement.nc": (write_movement, lambda poses: poses),
    "movement 0.17.nc": (lambda path, poses: write_movement(path, poses, plural=""), lambda poses: poses),
}


@pytest.mark.parametrize("name", FILES)
def test_names_places_and_likelihoods_are_read_and_written(tmp_path, poses, name):
    write, expected_of = FILES[name]
    write(tmp_path / name, poses)
    expected = expected_of(poses)
    found = read_poses([tmp_path / name])
    assert (found.individuals, found.points) == (expected.individuals, expected.points)
    np.testing.assert_allclose(found.xy, expected.xy, rtol=1e-12)
    np.testing.assert_allclose(found.likelihood, expected.likelihood, rtol=1e-12)

    moved = found.moved_to(np.where(np.isnan(found.columns), 5.0, found.columns + 1))
    out = tmp_path / f"out{Path(name).suffix}"
    rewrite_poses(out, moved, tmp_path / name)
    again = read_poses([out])
    assert (again.individuals, again.points) == (expected.individuals, expected.points)
    np.testing.assert_allclose(again.xy, moved.xy, rtol=1e-12)
    np.testing.assert_allclose(again.likelihood, expected.likelihood, rtol=1e-12)


def test_deeplabcut_h5_is_read_and_written(tmp_path, poses):
    pytest.importorskip("tables", reason="DeepLabCut's .h5 needs the package tables")
    dlc_table(poses).to_hdf(tmp_path / "net.h5", key="df_with_missing", format="table")
    found = read_poses([tmp_path / "net.h5"])
    np.testing.assert_allclose(found.xy, poses.xy)
    rewrite_poses(tmp_path / "out.h5", found.moved_to(found.columns + 1), tmp_path / "net.h5")
    table = pd.read_hdf(tmp_path / "out.h5", key="df_with_missing")
    pd.testing.assert_index_equal(table.columns, dlc_table(poses).columns)
    np.testing.assert_allclose(read_poses([tmp_path / "out.h5"]).xy, poses.xy + 1)


def test_a_csv_of_deeplabcut_keeps_its_columns(tmp_path, poses):
    dlc_table(poses).to_csv(tmp_path / "net.csv")
    rewrite_poses(tmp_path / "out.csv", poses, tmp_path / "net.csv")
    heads = [(tmp_path / name).read_text().splitlines()[:4] for name in ("net.csv", "out.csv")]
    assert heads[0] == heads[1]


def test_labelled_frames_of_deeplabcut_know_their_frame(tmp_path):
    lines = ["scorer,,,me,me", "bodyparts,,,nose,nose", "coords,,,x,y"]
    lines += ["labeled-data,m,img0004.png,10.5,20", "labeled-data,m,img0012.png,30,40.25", "labeled-data,m,img0020.png,,"]
    (tmp_path / "CollectedData_me.csv").write_text("\n".join(lines))
    found = read_poses([tmp_path / "CollectedData_me.csv"])
    assert len(found) == 21
    assert np.flatnonzero(found.known[:, 0, 0]).tolist() == [4, 12]
    assert found.xy[12, 0, 0].tolist() == [30, 40.25]
    rewrite_poses(tmp_path / "out.csv", found, tmp_path / "CollectedData_me.csv")
    np.testing.assert_array_equal(read_poses([tmp_path / "out.csv"]).xy, found.xy)


def test_what_else_a_file_holds_stays(tmp_path, poses):
    write_sleap(tmp_path / "a.h5", poses)
    filled = poses.moved_to(np.nan_to_num(poses.columns, nan=1.0))
    rewrite_poses(tmp_path / "b.h5", filled, tmp_path / "a.h5")
    with h5py.File(tmp_path / "b.h5") as file:
        assert file["edge_inds"][...].tolist() == [[0, 1]]
        assert file["track_occupancy"][...].all()
        assert file["tracks"].shape == (2, 2, 3, FRAMES)


def test_the_last_layer_of_annotations_counts(tmp_path):
    first = write_layer(tmp_path / "a.json", {"0": {0: [1, 1], 4: [5, 5]}, "paw": {2: [7.5, 8]}})
    last = write_layer(tmp_path / "b.json", {"0": {4: [6, 6], 9: [9, 9]}, "1": {}})
    found = read_poses([first, last])
    assert (found.individuals, found.points) == ((ONLY_ANIMAL,), ("0", "paw", "1"))
    assert found.xy[[0, 4, 9], 0, 0].tolist() == [[1, 1], [6, 6], [9, 9]]
    assert found.xy[2, 0, 1].tolist() == [7.5, 8]
    assert found.known.sum() == 4
    rewrite_poses(tmp_path / "out.json", found, first)
    assert json.loads((tmp_path / "out.json").read_text())["paw"] == {"2": [7.5, 8.0]}
    np.testing.assert_array_equal(read_poses([tmp_path / "out.json"]).xy, found.xy)


@pytest.mark.skipif(not FLIES.is_file(), reason="the body points of the flies are not here")
def test_the_body_points_of_the_flies_are_read_and_written(tmp_path):
    found = read_poses([FLIES])
    assert found.individuals == ("track_0", "track_1")
    assert found.points[:3] == ("head", "thorax", "abdomen")
    assert len(found) == 3000
    rewrite_poses(tmp_path / "out.h5", found, FLIES)
    np.testing.assert_array_equal(read_poses([tmp_path / "out.h5"]).xy, found.xy)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "frame,x,y\n0,1,2\n", "expected a table of DeepLabCut"),
        ("a.csv", "", "expected a table of DeepLabCut"),
        ("a.json", "[1, 2]", "expected annotations of DUSTrack"),
        ("a.json", '{"0": {"-3": [1, 2]}}', "expected annotations of DUSTrack"),
        ("a.json", '{"0": {"1": [1]}}', "expected annotations of DUSTrack"),
        ("a.h5", "no HDF5", "not a known file of body points"),
        ("a.txt", "", "not a known file of body points"),
        (None, "", "there is no such file"),
    ],
)
def test_another_file_is_named_with_what_was_expected(tmp_path, name, content, message):
    path = tmp_path / (name or "missing.h5")
    if name:
        path.write_text(content)
    with pytest.raises(HerdbookError, match=message) as fault:
        read_poses([path])
    assert path.name in str(fault.value)


def test_only_layers_of_dustrack_can_be_several_files(tmp_path, poses):
    write_sleap(tmp_path / "a.h5", poses)
    with pytest.raises(HerdbookError, match=r"only layers of DUSTrack .* found 2 files"):
        read_poses([tmp_path / "a.h5", tmp_path / "a.h5"])


def test_a_file_is_written_as_its_kind_only(tmp_path, poses):
    dlc_table(poses).to_csv(tmp_path / "net.csv")
    with pytest.raises(HerdbookError, match=r"expected a file \.csv"):
        rewrite_poses(tmp_path / "out.h5", poses, tmp_path / "net.csv")


def test_poses_last_as_long_as_the_movie(poses):
    longer = poses.lasting(10)
    assert len(longer) == 10
    assert not longer.known[FRAMES:].any()
    np.testing.assert_array_equal(longer.lasting(FRAMES).xy, poses.xy)
    with pytest.raises(HerdbookError, match="of 7 frames, the movie has 4"):
        poses.lasting(4)


def test_unlikely_points_are_unknown(poses):
    found = poses.likely(0.5)
    np.testing.assert_array_equal(found.known, poses.known & (poses.likelihood >= 0.5))
    nothing_said = Poses(ANIMALS, POINTS, poses.xy, np.full(poses.likelihood.shape, np.nan))
    np.testing.assert_array_equal(nothing_said.likely(0.9).known, poses.known)
