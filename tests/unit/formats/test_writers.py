"""Files of other tools: each holds the positions, names and gaps that were given, told by the library it is for."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.io import loadmat

from herdbook.errors import HerdbookError
from herdbook.formats import nwb as nwb_files
from herdbook.formats import writers as format_writers
from herdbook.formats.files import MOVIE_FILES, movie_files, table_files
from herdbook.formats.pose_files import read_poses
from herdbook.tables.tracks import Tracks
from tests.support.table_cases import ODD_NAMES, make_tracks

NEAR = {"atol": 1e-3, "rtol": 0}
CASES = {
    "odd names and gaps": {},
    "one animal": {"individuals": ("only",)},
    "one frame": {"frames": 1, "known": 1.0},
    "nobody seen": {"known": 0.0},
    "fragments": {"individuals": tuple(f"track{k:04d}" for k in range(300)), "frames": 8, "known": 0.3},
    "a hundred animals": {"individuals": tuple(f"animal {k}" for k in range(100)), "frames": 30},
}


@pytest.fixture(params=CASES, ids=lambda name: name.replace(" ", "-"))
def tracks(request: pytest.FixtureRequest, rng: np.random.Generator) -> Tracks:
    return make_tracks(rng, **CASES[request.param])


@pytest.fixture
def write(tmp_path: Path, tracks: Tracks) -> Callable[[str], Path]:
    """Write the file of a template."""

    def written(template: str) -> Path:
        path = tmp_path / template.format(movie="m")
        format_writers.WRITERS[template](path, tracks)
        return path

    return written


def confidence_of(tracks: Tracks) -> np.ndarray:
    return tracks.dense(tracks.confidence)


def test_every_file_of_every_format_has_a_writer() -> None:
    assert set(format_writers.WRITERS) == {template for files in MOVIE_FILES.values() for template in files}
    assert table_files(["motion", "hdf5", "mot"]) == ["trajectories.h5", "motion.csv"]
    assert movie_files(["mot"], ["a"]) == {
        "mot/a.csv": ("mot/{movie}.csv", "a"),
        "mot/a.names.csv": ("mot/{movie}.names.csv", "a"),
    }


@pytest.mark.parametrize("names", ["singular", "plural"])
def test_movement_files_open_with_xarray_and_are_valid_for_movement(tmp_path: Path, tracks: Tracks, names: str) -> None:
    xr = pytest.importorskip("xarray")
    path = tmp_path / "m.nc"
    format_writers.write_movement(path, tracks, names)
    with xr.open_dataset(path) as dataset:
        individuals, keypoints = ("individual", "keypoint") if names == "singular" else ("individuals", "keypoints")
        assert dataset.position.dims == ("time", "space", keypoints, individuals)
        assert dataset.confidence.dims == ("time", keypoints, individuals)
        assert dataset[individuals].values.tolist() == list(tracks.individuals)
        assert_allclose(dataset.position.values[:, :, 0].transpose(0, 2, 1), tracks.xy, **NEAR)
        assert_allclose(dataset.confidence.values[:, 0], confidence_of(tracks), **NEAR)
        assert_allclose(dataset.time, tracks.time_s)
        assert dataset.attrs["ds_type"] == "poses"
        assert (dataset.attrs["fps"], dataset.attrs["time_unit"]) == (20.0, "seconds")
        validators = pytest.importorskip("movement.validators.datasets", reason="movement is not installed")
        valid = getattr(validators, "ValidPosesInputs", None) or validators.ValidPosesDataset
        if (names == "singular") == ("individual" in valid.DIM_NAMES):
            valid.validate(dataset)
        else:
            with pytest.raises(ValueError, match="Missing required dimensions"):
                valid.validate(dataset)


@pytest.mark.parametrize("names", ["singular", "plural"])
def test_movement_files_are_body_points_for_herdbook(tmp_path: Path, tracks: Tracks, names: str) -> None:
    format_writers.write_movement(tmp_path / "m.nc", tracks, names)
    poses = read_poses([tmp_path / "m.nc"])
    assert poses.individuals == tracks.individuals
    assert_allclose(poses.xy[:, :, 0], tracks.xy, **NEAR)


@pytest.mark.parametrize("suffix", ["h5", "csv"])
def test_deeplabcut_tables_hold_the_tracks(write: Callable[[str], Path], tracks: Tracks, suffix: str) -> None:
    path = write(f"deeplabcut/{{movie}}.{suffix}")
    poses = read_poses([path])
    assert poses.individuals == tracks.individuals
    assert poses.points == ("centre",)
    assert_allclose(poses.xy[:, :, 0], tracks.xy, **NEAR)
    assert_allclose(poses.likelihood[:, :, 0], confidence_of(tracks), **NEAR)
    if suffix == "h5":
        table = pd.read_hdf(path, key="df_with_missing")
        assert table.columns.names == ["scorer", "individuals", "bodyparts", "coords"]
    loader = pytest.importorskip("movement.io.load_poses", reason="movement is not installed")
    dataset = loader.from_dlc_file(path, fps=20)
    names = "individual" if "individual" in dataset.dims else "individuals"
    assert dataset[names].values.tolist() == list(tracks.individuals)
    assert_allclose(dataset.position.values[:, :, 0].transpose(0, 2, 1), tracks.xy, **NEAR)


def test_sleap_analysis_files_hold_the_tracks(write: Callable[[str], Path], tracks: Tracks) -> None:
    path = write("sleap/{movie}.analysis.h5")
    poses = read_poses([path])
    assert poses.individuals == tracks.individuals
    assert_allclose(poses.xy[:, :, 0], tracks.xy, **NEAR)
    assert_allclose(poses.likelihood[:, :, 0], confidence_of(tracks), **NEAR)


def test_sleap_analysis_files_open_with_movement(write: Callable[[str], Path], tracks: Tracks) -> None:
    loader = pytest.importorskip("movement.io.load_poses", reason="movement is not installed")
    dataset = loader.from_sleap_file(write("sleap/{movie}.analysis.h5"), fps=20)
    names = "individual" if "individual" in dataset.dims else "individuals"
    assert dataset[names].values.tolist() == list(tracks.individuals)
    assert_allclose(dataset.position.values[:, :, 0].transpose(0, 2, 1), tracks.xy, **NEAR)


def test_sleap_analysis_files_open_with_sleap_io(write: Callable[[str], Path], tracks: Tracks) -> None:
    sleap_io = pytest.importorskip("sleap_io", reason="sleap-io is not installed")
    labels = sleap_io.load_analysis_h5(str(write("sleap/{movie}.analysis.h5")), "m.mp4")
    found = np.full(tracks.xy.shape, np.nan)
    for labelled in labels:
        for instance in labelled.instances:
            found[labelled.frame_idx, tracks.individuals.index(instance.track.name)] = instance.numpy()[0]
    assert_allclose(found, tracks.xy, **NEAR)


def test_idtracker_files_hold_the_tracks(write: Callable[[str], Path], tracks: Tracks) -> None:
    folder = write("idtracker/{movie}/trajectories.h5").parent
    for part in ("trajectories.csv", "id_probabilities.csv", "attributes.json"):
        write(f"idtracker/{{movie}}/trajectories_csv/{part}")
    table = pd.read_csv(folder / "trajectories_csv" / "trajectories.csv")
    assert table.columns[:3].tolist() == ["time", "x1", "y1"]
    assert_allclose(table.to_numpy()[:, 1:].reshape(tracks.xy.shape), tracks.xy, **NEAR)
    attributes = json.loads((folder / "trajectories_csv" / "attributes.json").read_text(encoding="utf-8"))
    assert attributes["identities_labels"] == list(tracks.individuals)
    io = pytest.importorskip("idtrackerai.utils.trajectories_io", reason="idtracker.ai is not installed", exc_type=ImportError)
    for place in (folder / "trajectories.h5", folder / "trajectories_csv"):
        if place.suffix != ".h5" and tracks.frames == 1:
            continue  # its reader of CSV needs two rows
        data = io.load_trajectories(place)
        assert_allclose(data["trajectories"], tracks.xy, **NEAR)
        assert_allclose(np.squeeze(data["id_probabilities"]), np.squeeze(confidence_of(tracks)), **NEAR)
        assert [str(name) for name in data["identities_labels"]] == list(tracks.individuals)
        assert data["frames_per_second"] == 20.0


def test_trx_of_jaaba_opens_as_a_struct_array_with_frames_from_one(write: Callable[[str], Path], tracks: Tracks) -> None:
    trx = loadmat(write("jaaba/{movie}/trx.mat"), squeeze_me=False)["trx"]
    found = np.full(tracks.xy.shape, np.nan)
    heading = np.full(tracks.xy.shape[:2], np.nan)
    for one in trx.ravel():
        number = tracks.individuals.index(str(one["name"].item()) if one["name"].size else "")
        first, last = int(one["firstframe"].item()), int(one["endframe"].item())
        assert one["x"].shape == (1, last - first + 1) == one["timestamps"].shape
        assert one["off"].item() == 1 - first
        assert one["dt"].shape == (1, last - first)
        assert np.isfinite(one["a"][np.isfinite(one["x"])]).all()
        found[first - 1 : last, number] = np.stack([one["x"][0], one["y"][0]], axis=1) - 1
        heading[first - 1 : last, number] = one["theta"][0]
    assert_allclose(found, tracks.xy, **NEAR)
    assert_allclose(heading, tracks.dense(tracks.heading), **NEAR)


def test_mot_files_open_with_motmetrics(write: Callable[[str], Path], tracks: Tracks) -> None:
    motmetrics = pytest.importorskip("motmetrics", reason="motmetrics is not installed")
    path = write("mot/{movie}.csv")
    names = pd.read_csv(write("mot/{movie}.names.csv"), dtype=str, keep_default_na=False)
    assert names["individual"].tolist() == list(tracks.individuals)
    if not len(tracks.frame):
        assert path.read_text() == ""
        return
    boxes = motmetrics.io.loadtxt(str(path), fmt="mot15-2D", min_confidence=-1).reset_index()
    found = np.full(tracks.xy.shape, np.nan)
    centre = np.stack([boxes["X"] + boxes["Width"] / 2, boxes["Y"] + boxes["Height"] / 2], axis=1)
    found[boxes["FrameId"] - 1, boxes["Id"] - 1] = centre
    assert_allclose(found, tracks.xy, **NEAR)


def test_nwb_files_open_with_pynwb_and_movement(write: Callable[[str], Path], tracks: Tracks) -> None:
    pynwb = pytest.importorskip("pynwb", reason="pynwb is not installed")
    pytest.importorskip("ndx_pose", reason="ndx-pose is not installed")
    path = write("nwb/{movie}.nwb")
    with pynwb.NWBHDF5IO(str(path), "r") as io:
        poses = io.read().processing["behavior"].data_interfaces
        for number, name in enumerate(nwb_files.nwb_names(tracks.individuals)):
            series = poses[name].pose_estimation_series["centre"]
            assert_allclose(series.data[:], tracks.xy[:, number], **NEAR)
            assert_allclose(series.timestamps[:], tracks.time_s)
            assert poses[name].description == f"positions of {tracks.individuals[number]}"
    loader = pytest.importorskip("movement.io.load_poses", reason="movement is not installed")
    if tracks.frames > 1:
        dataset = loader.from_nwb_file(str(path), pose_estimation_key=nwb_files.nwb_names(tracks.individuals)[0])
        assert_allclose(dataset.position.values[:, :, 0, 0], tracks.xy[:, 0], **NEAR)


def test_nwb_without_its_packages_says_what_to_install(tmp_path: Path, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nwb_files, "find_spec", lambda name: None)
    monkeypatch.setitem(sys.modules, "pynwb", None)
    with pytest.raises(HerdbookError, match=r"pynwb and ndx-pose: pip install 'herdbook\[nwb\]'"):
        format_writers.WRITERS["nwb/{movie}.nwb"](tmp_path / "m.nwb", make_tracks(rng))
    assert list(tmp_path.iterdir()) == []


def test_names_that_nwb_forbids_stay_different() -> None:
    names = nwb_files.nwb_names(("a/b", "a:b", "a_b", *ODD_NAMES))
    assert len(set(names)) == len(names)
    assert not any(set(name) & set("/:") for name in names)


def test_mm_and_the_beginning_of_the_recording_are_reported_to_tools_that_know_them(tmp_path: Path, rng: np.random.Generator) -> None:
    tracks = make_tracks(rng, px_per_mm=8.0, start="2026-05-17T14:03:20")
    format_writers.write_jaaba(tmp_path / "trx.mat", tracks)
    one = loadmat(tmp_path / "trx.mat")["trx"][0, 0]
    assert_allclose(one["x_mm"] * 8, one["x"])
    assert one["pxpermm"].item() == 8
    format_writers.write_idtracker_attributes(tmp_path / "attributes.json", tracks)
    assert json.loads((tmp_path / "attributes.json").read_text(encoding="utf-8"))["length_unit"] == 8


def test_fragments_too_many_for_a_place_in_every_frame_are_refused(rng: np.random.Generator) -> None:
    tracks = make_tracks(rng, frames=2, individuals=("a",), time_s=np.zeros(300_000_000))
    with pytest.raises(HerdbookError, match="too many for a file"):
        _ = tracks.xy
