"""Files of body points: what is in them comes back, and a written file is the read one with other places."""

import json
import pickle
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
import xarray as xr

from herdbook.errors import HerdbookError
from herdbook.formats import deeplabcut_hdf5
from herdbook.formats.pose_files import read_poses, rename_poses, rewrite_poses
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


def in_another_file(path, name, victim):
    """Move the values of a dataset into another file."""
    with h5py.File(path, "r+") as file:
        values = file[name][...]
        victim.write_bytes(values.tobytes())
        attributes = dict(file[name].attrs)
        del file[name]
        moved = file.create_dataset(name, values.shape, values.dtype, external=[(str(victim), 0, values.nbytes)])
        for key, value in attributes.items():
            moved.attrs[key] = value


@pytest.mark.parametrize(("kind", "name"), [("analysis.h5", "tracks"), ("movement.nc", "position"), ("analysis.h5", "track_occupancy")])
def test_writing_points_changes_no_other_file(tmp_path, poses, kind, name):
    FILES[kind][0](tmp_path / kind, poses)
    in_another_file(tmp_path / kind, name, tmp_path / "thesis.tex")
    before = (tmp_path / "thesis.tex").read_bytes()
    with pytest.raises(HerdbookError, match=f"/{name} has its values in other files"):
        read_poses([tmp_path / kind])
    with pytest.raises(HerdbookError, match=f"/{name} has its values in other files"):
        rewrite_poses(tmp_path / f"out{Path(kind).suffix}", poses, tmp_path / kind)
    assert (tmp_path / "thesis.tex").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([kind, "thesis.tex"])


@pytest.mark.parametrize("name", ["movement.nc", "movement 0.17.nc"])
def test_a_file_written_with_other_places_is_the_same_to_xarray(tmp_path, poses, name):
    FILES[name][0](tmp_path / name, poses)
    with h5py.File(tmp_path / name, "r+") as file:
        file["position"].attrs["units"] = "px"
        file.attrs["fps"] = 25.0
        file["more/inside"] = [1, 2]
    rewrite_poses(tmp_path / "out.nc", poses.moved_to(poses.columns + 1), tmp_path / name)
    with xr.open_dataset(tmp_path / name) as given, xr.open_dataset(tmp_path / "out.nc") as written:
        xr.testing.assert_identical(written, given.assign(position=(given["position"] + 1).assign_attrs(given["position"].attrs)))
        assert {**written["position"].attrs, **written.attrs} == {"units": "px", "ds_type": "poses", "fps": 25.0}
    with h5py.File(tmp_path / "out.nc") as file:
        assert file["more/inside"][...].tolist() == [1, 2]


def put_more_blocks(file):
    file["df_with_missing"].attrs["nblocks"] = 10**12


def put_more_levels(file):
    file["df_with_missing"].attrs["axis0_nlevels"] = 10**12


def put_packed_zeros(file):
    values = file["df_with_missing/block0_values"]
    del file["df_with_missing/block0_values"]
    zeros = file.create_dataset("df_with_missing/block0_values", (3 * 10**8, values.shape[1]), "u1", chunks=(10**6, 1), compression="gzip")
    zeros[:10] = 1


@pytest.mark.parametrize(
    ("change", "expected"),
    [(put_more_blocks, "1000000000000 blocks"), (put_more_levels, "1000000000000 levels"), (put_packed_zeros, "MB of values, in")],
)
def test_counts_and_sizes_of_a_table_are_checked_before_it_is_read(tmp_path, poses, change, expected):
    dlc_table(poses).to_hdf(tmp_path / "a.h5", key="df_with_missing", format="fixed")
    with h5py.File(tmp_path / "a.h5", "r+") as file:
        change(file)
    with pytest.raises(HerdbookError, match=rf"a\.h5: .*{expected}"):
        read_poses([tmp_path / "a.h5"])


def test_names_that_are_nested_lists_are_refused(tmp_path, poses):
    dlc_table(poses).to_hdf(tmp_path / "a.h5", key="df_with_missing", format="table")
    # A list of lists that doubles thirty times: small as a pickle, huge when it is written out.
    names = ["x"]
    for _ in range(30):
        names = [names, names]
    with h5py.File(tmp_path / "a.h5", "r+") as file:
        file["df_with_missing"].attrs["non_index_axes"] = np.bytes_(pickle.dumps([(1, [names])], protocol=0))
    with pytest.raises(HerdbookError, match="names of columns that are no texts"):
        read_poses([tmp_path / "a.h5"])


def test_one_long_name_that_is_told_a_million_times_is_not_read(tmp_path, poses):
    write_sleap(tmp_path / "a.h5", poses)
    with h5py.File(tmp_path / "a.h5", "r+") as file:
        del file["node_names"]
        file["tracks"].attrs["dims"] = '["track", "xy", "node", "frame"]'
        names = file.create_dataset("node_names", (90_000,), h5py.string_dtype(), chunks=(10_000,), compression="gzip")
        names[:300] = "x" * 60_000
    with pytest.raises(HerdbookError, match="node_names holds more than 16 MB of texts"):
        read_poses([tmp_path / "a.h5"])


@pytest.mark.parametrize("frame", ["9" * 25, "9" * 5000])
def test_a_frame_with_too_many_digits_is_reported(tmp_path, frame):
    (tmp_path / "a.csv").write_text(f"scorer,me,me\nbodyparts,nose,nose\ncoords,x,y\n0,1,2\n{frame},3,4\n")
    with pytest.raises(
        HerdbookError, match=r"a\.csv: (not a readable file of body points|data row 2: expected the number of a frame)"
    ) as raised:
        read_poses([tmp_path / "a.csv"])
    assert len(str(raised.value)) < 500 + len(str(tmp_path))


def test_a_few_rows_do_not_ask_for_more_memory_than_they_hold(tmp_path):
    (tmp_path / "rows.csv").write_text("scorer,me,me\nbodyparts,nose,nose\ncoords,x,y\n0,1,2\n99999999,3,4\n")
    many = 3000
    columns = [("s", f"a{k}", f"p{k}", coord) for k in range(many) for coord in "xy"]
    pd.DataFrame(np.ones((9, 2 * many)), columns=pd.MultiIndex.from_tuples(columns, names=deeplabcut_hdf5.LEVELS[1])).to_csv(
        tmp_path / "columns.csv"
    )
    for name in ("rows.csv", "columns.csv"):
        with pytest.raises(HerdbookError, match=f"{name}: .*no movie is so long"):
            read_poses([tmp_path / name])


def test_names_like_formulas_are_read_back_from_a_csv(tmp_path, poses):
    hostile = Poses(("=1+1", "-2"), ("@SUM(A1)", "-x", "+a"), poses.xy, poses.likelihood)
    dlc_table(hostile).to_csv(tmp_path / "a.csv")
    rewrite_poses(tmp_path / "out.csv", read_poses([tmp_path / "a.csv"]), tmp_path / "a.csv")
    cells = [cell for line in (tmp_path / "out.csv").read_text().splitlines()[:4] for cell in line.split(",")]
    assert set(cells) == {
        "scorer",
        "net",
        "individuals",
        "'=1+1",
        "-2",
        "bodyparts",
        "'@SUM(A1)",
        "'-x",
        "'+a",
        *("coords", "x", "y", "likelihood"),
    }
    again = read_poses([tmp_path / "out.csv"])
    assert (again.individuals, again.points) == (hostile.individuals, hostile.points)


def csv_of(path, poses, change):
    dlc_table(poses).to_csv(path)
    path.write_text(change(path.read_text()))
    return path


def with_float_frames(text):
    head, rows = text.splitlines()[:4], text.splitlines()[4:]
    return "\n".join([*head, *(f"{k}.0{row[row.index(',') :]}" for k, row in enumerate(rows))])


def in_a_spreadsheet(text):
    return text.replace("tail, base", "tail base").replace('"', "").replace(",", ";").replace(".", ",")


SAVED = {
    "frames as 12.0": with_float_frames,
    "semicolons, decimal commas": in_a_spreadsheet,
    "a line that names the separator": lambda text: "sep=;\n" + in_a_spreadsheet(with_float_frames(text)),
    "tabs": lambda text: in_a_spreadsheet(text).replace(";", "\t"),
    "empty rows and columns": lambda text: text.replace("\n", ",\n") + "," * 19 + "\n\n",
    "decomposed letters": lambda text: text.replace("Ä", "A\u0308"),
}


@pytest.mark.parametrize("how", SAVED)
def test_a_table_of_deeplabcut_is_read_however_a_program_saves_it(tmp_path, poses, how):
    path = csv_of(tmp_path / "net.csv", poses, SAVED[how])
    found = read_poses([path])
    assert found.individuals == ANIMALS
    np.testing.assert_allclose(found.xy, poses.xy, rtol=1e-12)
    np.testing.assert_allclose(found.likelihood, poses.likelihood, rtol=1e-12)
    rewrite_poses(tmp_path / "out.csv", found, path)
    np.testing.assert_allclose(read_poses([tmp_path / "out.csv"]).xy, poses.xy, rtol=1e-12)


def test_rows_that_are_left_out_are_unknown_in_their_own_frames(tmp_path, poses):
    rows = csv_of(tmp_path / "net.csv", poses, str).read_text().splitlines()
    (tmp_path / "net.csv").write_text("\n".join([*rows[:5], *rows[6:]]))
    found = read_poses([tmp_path / "net.csv"])
    assert not found.known[1].any()
    np.testing.assert_allclose(found.xy[[0, *range(2, FRAMES)]], poses.xy[[0, *range(2, FRAMES)]])


HEAD = "scorer,n,n,n\nbodyparts,nose,nose,nose\ncoords,x,y,likelihood\n"
REFUSED = {
    "a frame twice": (HEAD + "0,1,2,1\n3,1,2,1\n3.0,4,5,1\n", r"frame 3 is there 2 times, in data rows 2 \(3\) and 3 \(3\.0\)"),
    "images of two movies": (
        "scorer,,,n,n\nbodyparts,,,nose,nose\ncoords,,,x,y\nlabeled-data,a,img07.png,1,2\nlabeled-data,b,img07.png,3,4\n",
        r"frame 7 is there 2 times, in data rows 1 \(labeled-data/a/img07\.png\) and 2 \(labeled-data/b/img07\.png\)",
    ),
    "part of a frame": (HEAD + "0,1,2,1\n0.5,1,2,1\n", r"data row 2: expected the number of a frame.*found '0\.5'"),
    "a negative frame": (HEAD + "-1,1,2,1\n", r"data row 1: expected the number of a frame.*found '-1'"),
    "no frame": (HEAD + "0,1,2,1\n ,1,2,1\n", "data row 2: expected the number of a frame"),
    "x without a column y": ("scorer,n\nbodyparts,nose\ncoords,x\n0,1\n", "nose has no column y, only x"),
    "x without y in a frame": (HEAD + "0,1,2,1\n1,3,,1\n", "nose of animal in frame 1 has x but no y"),
    "a row too short": (HEAD + "0,1,2,1\n1,3\n2,1,2,1\n", "line 5 has 2 cells, the header has 4"),
    "a row too long": (HEAD + "0,1,2,1\n1,3,4,1,9\n", "line 5 has 5 cells, the header has 4"),
    "decimal commas between commas": (HEAD + "0,1,5,2,5,1,0\n", "line 4 has 7 cells, the header has 4"),
    "headers of two lengths": ("scorer,n,n\nbodyparts,nose\ncoords,x,y\n0,1,2\n", "name 3 and 2 and 3 columns"),
    "a column twice": (HEAD.replace("likelihood", "x") + "0,1,2,1\n", "the column nose x is there twice"),
    "a text": (HEAD + "0,1,2,1\n1,one,2,1\n", "line 5: nose x must be a number, found 'one'"),
    "a number in two ways": (HEAD.replace(",", ";") + "0;1,5;1.234;1\n", r"line 4: nose y can be read in two ways: '1\.234'"),
    "no columns": ("scorer,n\nbodyparts,nose\ncoords,z\n0,1\n", "found no columns x, y, likelihood"),
}


@pytest.mark.parametrize("how", REFUSED)
def test_a_faulty_table_of_deeplabcut_is_refused_with_its_row(tmp_path, how):
    text, fault = REFUSED[how]
    path = tmp_path / "net.csv"
    path.write_text(text)
    with pytest.raises(HerdbookError, match=fault) as raised:
        read_poses([path])
    assert str(raised.value).startswith(str(path))


@pytest.mark.parametrize("order", [("frame", "track", "node", "xy"), ("track", "xy", "node", "frame"), ("node", "frame", "xy", "track")])
@pytest.mark.parametrize("told", [str, list])
def test_the_axes_of_sleap_are_those_that_dims_names(tmp_path, poses, order, told):
    axes = [("frame", "track", "node", "xy").index(name) for name in order]
    of_scores = [axis for axis in axes if axis != 3]
    dims = [name for name in order if name != "xy"]
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for name, values, names in (
            ("tracks", poses.xy.transpose(axes), order),
            ("point_scores", poses.likelihood.transpose(of_scores), dims),
        ):
            file.create_dataset(name, data=values).attrs["dims"] = json.dumps(list(names)) if told is str else list(names)
        file.create_dataset("track_occupancy", data=np.zeros((FRAMES, 2), np.uint8)).attrs["dims"] = '["frame", "track"]'
        file["track_names"], file["node_names"] = [name.encode() for name in ANIMALS], [name.encode() for name in POINTS]
    found = read_poses([tmp_path / "a.h5"])
    np.testing.assert_array_equal(found.xy, poses.xy)
    np.testing.assert_array_equal(found.likelihood, poses.likelihood)
    rewrite_poses(tmp_path / "b.h5", found.moved_to(found.columns + 1), tmp_path / "a.h5")
    np.testing.assert_array_equal(read_poses([tmp_path / "b.h5"]).xy, poses.xy + 1)
    with h5py.File(tmp_path / "b.h5") as file:
        assert file["track_occupancy"][...].tolist() == poses.known.any(axis=2).tolist()


@pytest.mark.parametrize("frames_first", [True, False])
def test_the_axes_of_sleap_are_told_by_the_names_where_dims_is_missing(tmp_path, poses, frames_first):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["tracks"] = poses.xy if frames_first else poses.xy.transpose(1, 3, 2, 0)
        file["point_scores"] = poses.likelihood if frames_first else poses.likelihood.transpose(1, 2, 0)
        file["track_names"], file["node_names"] = [name.encode() for name in ANIMALS], [name.encode() for name in POINTS]
    found = read_poses([tmp_path / "a.h5"])
    np.testing.assert_array_equal(found.xy, poses.xy)
    np.testing.assert_array_equal(found.likelihood, poses.likelihood)


def test_axes_of_sleap_that_can_be_read_in_two_ways_are_refused(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["tracks"] = np.zeros((2, 2, 3, 2))
        file["track_names"], file["node_names"] = [b"a", b"b"], [b"1", b"2", b"3"]
    expected = r"a\.h5: its tracks \(2, 2, 3, 2\) can be read in two ways, as \(track, xy, node, frame\) or \(frame, track, node, xy\)"
    with pytest.raises(HerdbookError, match=expected):
        read_poses([tmp_path / "a.h5"])


def test_tracks_of_one_name_are_refused(tmp_path, poses):
    alike = Poses(("same", "same"), POINTS, poses.xy, poses.likelihood)
    for name, write in (("a.h5", write_sleap), ("a.csv", lambda path, poses: dlc_table(poses).to_csv(path))):
        write(tmp_path / name, alike)
        with pytest.raises(HerdbookError, match=r"2 animals have the name 'same'|the column same nose x is there twice"):
            read_poses([tmp_path / name])


@pytest.mark.parametrize(
    ("layer", "fault"),
    [
        ('{"0": {"1": [1, 2]}, "0": {}}', "'0' is there twice"),
        ('{"0": {"1": [1, 2], "1": [3, 4]}}', "'1' is there twice"),
        ('{"0": {"1": [1, 2], "1.0": [3, 4]}}', "1 is there twice"),
        ('{"0": {"1.5": [1, 2]}}', "1.5 is not whole"),
    ],
)
def test_a_frame_that_a_layer_has_twice_is_refused(tmp_path, layer, fault):
    (tmp_path / "a.json").write_text(layer)
    with pytest.raises(HerdbookError, match=fault):
        read_poses([tmp_path / "a.json"])


def test_frames_of_a_layer_may_be_written_as_12_0(tmp_path):
    (tmp_path / "a.json").write_text('{"0": {"12.0": [1, 2]}}')
    assert np.flatnonzero(read_poses([tmp_path / "a.json"]).known).tolist() == [12]


def with_times(path, poses, times, **attributes):
    write_movement(path, poses)
    with h5py.File(path, "r+") as file:
        file["time"][...] = times
        file.attrs.update(attributes)
    return path


@pytest.mark.parametrize(
    ("times", "attributes", "frames"),
    [
        (np.arange(FRAMES) / 25, {}, np.arange(FRAMES)),
        (np.arange(FRAMES) / 25 + 0.4, {"fps": 25.0, "time_unit": "seconds"}, np.arange(FRAMES) + 10),
        (np.arange(FRAMES) * 2.0, {"time_unit": "frames"}, np.arange(FRAMES) * 2),
        (np.arange(FRAMES) / 12.5, {"fps": [25.0]}, np.arange(FRAMES) * 2),
        (np.arange(FRAMES) + 123.4, {"fps": 25.0, "source_software": "Herdbook"}, np.arange(FRAMES)),
    ],
    ids=["no rate", "cut", "every second frame", "half the rate", "Herdbook's own"],
)
def test_the_times_of_movement_tell_the_frames(tmp_path, poses, times, attributes, frames):
    path = with_times(tmp_path / "a.nc", poses, times, **attributes)
    found = read_poses([path])
    assert len(found) == frames[-1] + 1
    np.testing.assert_array_equal(found.xy[frames], poses.xy)
    assert found.known.sum() == poses.known.sum()
    rewrite_poses(tmp_path / "b.nc", found.moved_to(found.columns + 1), path)
    np.testing.assert_array_equal(read_poses([tmp_path / "b.nc"]).xy[frames], poses.xy + 1)


@pytest.mark.parametrize(
    ("times", "attributes", "fault"),
    [
        (np.arange(FRAMES) / 25 + 0.4, {}, "its times begin at 0.4 or are not equally spaced, and it has no attribute fps"),
        (np.arange(FRAMES) / 25, {"fps": 10.0}, r"time 0\.04 \(seconds, row 2\) is frame 0\.4 at 10 frames/s"),
        (np.zeros(FRAMES), {"fps": 25.0}, r"time 0 \(seconds, row 2\) is frame 0"),
    ],
)
def test_times_of_movement_that_are_no_frames_are_refused(tmp_path, poses, times, attributes, fault):
    with pytest.raises(HerdbookError, match=fault):
        read_poses([with_times(tmp_path / "a.nc", poses, times, **attributes)])


NAMED = ("red", "green", "blue")


def write_slp(path, poses, tracks=True, version=1.4, user=()):
    """Predictions as SLEAP saves them; `user` (frame, animal) are labelled by a person, 5 px to the right of the predicted ones."""
    where = h5py.special_dtype(vlen=str)
    kinds = {
        "frames": [("frame_id", "u8"), ("video", "u4"), ("frame_idx", "u8"), ("instance_id_start", "u8"), ("instance_id_end", "u8")],
        "instances": [
            *(("instance_id", "i8"), ("instance_type", "u1"), ("frame_id", "u8"), ("skeleton", "u4"), ("track", "i4")),
            *(("from_predicted", "i8"), ("score", "f4"), ("point_id_start", "u8"), ("point_id_end", "u8")),
        ],
        "points": [("x", "f8"), ("y", "f8"), ("visible", "?"), ("complete", "?")],
    }
    kinds["pred_points"] = [*kinds["points"], ("score", "f8")]
    rows = {name: [] for name in kinds}
    shift = 0.5 if version < 1.1 else 0
    for frame in range(len(poses)):
        before = len(rows["instances"])
        for who in range(len(poses.individuals)):
            for kind in (1, *((0,) if (frame, who) in user else ())):
                table = rows["points" if kind == 0 else "pred_points"]
                start = len(table)
                for (x, y), score in zip(poses.xy[frame, who] + shift, poses.likelihood[frame, who], strict=True):
                    seen = not np.isnan(x)
                    table.append((x + 5 * (kind == 0), y, seen, seen, *(() if kind == 0 else (score,))))
                track = who if tracks else -1
                rows["instances"].append((len(rows["instances"]), kind, frame, 0, track, -1, 0.5, start, len(table)))
        rows["frames"].append((frame, 0, frame, before, len(rows["instances"])))
    names = [{"name": "other"}, *({"name": point} for point in poses.points)]
    description = {"skeletons": [{"nodes": [{"id": k + 1} for k in range(len(poses.points))], "links": []}], "nodes": names}
    with h5py.File(path, "w") as file:
        metadata = file.create_group("metadata")
        metadata.attrs["format_id"] = version
        metadata.attrs["json"] = json.dumps(description).encode()
        for name, kind in kinds.items():
            file.create_dataset(name, data=np.array(rows[name], kind))
        listed = [json.dumps([0, name]) for name in poses.individuals] if tracks else []
        file.create_dataset("tracks_json", data=np.array(listed, object), dtype=where)
        file.create_dataset("videos_json", data=np.array([json.dumps({"backend": {"filename": "m.mp4"}})], object), dtype=where)


@pytest.mark.parametrize("version", [1.0, 1.4])
def test_labels_of_sleap_are_read(poses, tmp_path, version):
    write_slp(tmp_path / "m.slp", poses, version=version, user=[(1, 0)])
    read = read_poses([tmp_path / "m.slp"])
    assert (read.individuals, read.points) == (ANIMALS, POINTS)
    moved = poses.xy.copy()
    moved[1, 0, :, 0] += 5
    assert np.allclose(read.xy, moved, equal_nan=True)
    known = poses.known.copy()
    known[1, 0] = False
    assert np.allclose(read.likelihood[known], poses.likelihood[known])


def test_instances_without_tracks_are_slots_in_their_order(poses, tmp_path):
    write_slp(tmp_path / "m.slp", poses, tracks=False)
    read = read_poses([tmp_path / "m.slp"])
    assert read.individuals == ("instance_0", "instance_1")
    assert np.allclose(read.xy, poses.xy, equal_nan=True)


def test_a_pickle_is_never_read(tmp_path):
    (tmp_path / "m_full.pickle").write_bytes(pickle.dumps({}))
    with pytest.raises(HerdbookError, match="a pickle can run any program"):
        read_poses([tmp_path / "m_full.pickle"])


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("m.csv", lambda path, poses: dlc_table(poses).to_csv(path)),
        ("m.h5", lambda path, poses: dlc_table(one_animal(poses), animals=False).to_hdf(path, key="df_with_missing")),
        ("analysis.h5", write_sleap),
        ("m.nc", write_movement),
        ("m.slp", write_slp),
    ],
)
def test_other_animals_are_written_as_a_file_of_the_same_kind(poses, tmp_path, rng, name, write):
    write(tmp_path / name, poses)
    xy, likelihood = rng.uniform(0, 300, (FRAMES + 2, 3, 3, 2)), rng.uniform(0, 1, (FRAMES + 2, 3, 3))
    xy[4, 1, 1] = xy[2, 2] = np.nan
    (tmp_path / "out").mkdir()
    rename_poses(tmp_path / "out" / name, Poses(NAMED, POINTS, xy, likelihood), tmp_path / name)
    read = read_poses([tmp_path / "out" / name])
    assert (read.individuals, read.points) == (NAMED, POINTS)
    assert np.allclose(read.xy, xy, equal_nan=True)
    known = read.known
    assert np.allclose(read.likelihood[known], likelihood[known])


def test_layers_of_dustrack_have_no_names_to_write(poses, tmp_path):
    path = write_layer(tmp_path / "a.json", {"nose": {0: [1, 2]}})
    with pytest.raises(HerdbookError, match="has no names of animals"):
        rename_poses(tmp_path / "b.json", read_poses([path]), path)
