"""The stages index and background on small lossless movies."""

import numpy as np
import pytest

from herdbook.artifacts.background import Background
from herdbook.artifacts.index import Index
from herdbook.artifacts.store import Provenance, columns_writer, open_artifact, read_column
from herdbook.movie.reading import read_frames
from herdbook.stages import background, index, segment

SIZE = (160, 120)
GREY = {"codec": "ffv1", "pixel_format": "gray"}  # full range: luma is grey


def run(main, settings, **files):
    """Run a stage on files by option, each one path or a list of them."""
    parts = [[f"--{name}", *map(str, paths if isinstance(paths, list) else [paths])] for name, paths in files.items()]
    main([*(part for option in parts for part in option), "--settings", settings])


@pytest.fixture
def index_of(stage_settings):
    """Write the index of each movie beside it."""

    def build(movies):
        for movie in movies:
            run(index.main, stage_settings("index"), movie=movie, out=movie.with_suffix(".h5"))
        return [movie.with_suffix(".h5") for movie in movies]

    return build


def test_the_index_knows_the_frames_of_the_movie(write_movie, index_of):
    movie = write_movie("m.mkv", [np.full((80, 96), 100 + t, np.uint8) for t in range(25)], **GREY)
    found = Index.load(index_of([movie])[0])
    assert (len(found), found.width, found.height, found.fps) == (25, 96, 80, 20)
    assert (found.grey, found.full_range) == (True, True)
    assert found.time_s == pytest.approx(np.arange(25) / 20)
    assert found.duration_s == pytest.approx(1.25)
    assert [int(frame.luma[0, 0]) for frame in read_frames(movie, found)] == list(range(100, 125))


def test_the_index_says_how_the_movie_is_read(tmp_path, write_movie, capsys, stage_settings):
    movie = write_movie("m.mkv", [np.full((80, 96), 100 + t, np.uint8) for t in range(25)], **GREY)
    times = tmp_path / "times.csv"
    times.write_text("time_ms\n" + "".join(f"{50 * t + t * t}\n" for t in range(25)))
    movies = [{"name": "m", "file": "m.mkv", "rotate": 90}]
    settings = stage_settings("index", movies=movies, index={"every": 3})
    run(index.main, settings, movie=movie, times=times, out=tmp_path / "m.h5")
    found = Index.load(tmp_path / "m.h5")
    assert (len(found), found.width, found.height, found.orientation, found.every) == (9, 80, 96, 6, 3)
    assert found.time_s == pytest.approx([(50 * t + t * t) / 1000 for t in range(0, 25, 3)])
    assert [(frame.luma.shape, int(frame.luma[0, 0])) for frame in read_frames(movie, found)] == [
        ((96, 80), 100 + t) for t in range(0, 25, 3)
    ]
    assert all(note in capsys.readouterr().err or note in found.notes for note in found.notes)
    assert len(found.notes) == 2


def test_an_index_of_an_earlier_version_reads_its_movie_as_before(tmp_path, write_movie, index_of):
    movie = write_movie("m.mkv", [np.full((80, 96), 100 + t, np.uint8) for t in range(5)], **GREY)
    found = Index.load(index_of([movie])[0])
    earlier = tmp_path / "earlier.h5"
    with columns_writer(earlier, "index", Provenance("index", 3)) as writer:
        for name in ("pts", "time_s", "keyframe"):
            writer.put(name, getattr(found, name))
        for name in ("width", "height", "fps", "codec", "grey", "full_range", "movie_fingerprint"):
            writer.attribute(name, getattr(found, name))
    read = Index.load(earlier)
    assert (read.orientation, read.stream, read.bits, read.every, read.counted, read.notes) == (1, 0, 0, 1, False, [])
    assert [int(frame.luma[0, 0]) for frame in read_frames(movie, read)] == list(range(100, 105))


def test_blobs_of_a_turned_movie_lie_where_they_are_seen(tmp_path, draw, write_movie, stage_settings):
    masks = [draw([(30 + 3 * t, 40, 12, 5, 0)], SIZE) for t in range(20)]
    movie = write_movie("m.mkv", [np.where(mask, 50, 160).astype(np.uint8) for mask in masks], **GREY)
    for turn in (0, 90, 270):
        movies = [{"name": "m", "file": "m.mkv", "rotate": turn}]
        files = {name: tmp_path / f"{name}{turn}.h5" for name in ("index", "background", "segment")}
        run(index.main, stage_settings("index", movies=movies), movie=movie, out=files["index"])
        run(
            background.main,
            stage_settings("background"),
            movie=movie,
            index=files["index"],
            reference=files["index"],
            out=files["background"],
        )
        settings = stage_settings("segment", segment={"area": [20, 1000]})
        run(segment.main, settings, movie=movie, index=files["index"], background=files["background"], out=files["segment"])
        with open_artifact(files["segment"], "segment") as file:
            x, y = read_column(file, "x"), read_column(file, "y")
        expected = [(30 + 3 * t, 40) for t in range(20)]
        if turn == 90:
            expected = [(SIZE[1] - 1 - v, u) for u, v in expected]
        if turn == 270:
            expected = [(v, SIZE[0] - 1 - u) for u, v in expected]
        assert np.stack([x, y], axis=1) == pytest.approx(np.array(expected), abs=0.6)


def test_a_broken_movie_is_refused_or_kept_up_to_its_fault(tmp_path, rng, write_movie, capsys, stage_settings):
    movie = write_movie("m.ts", [rng.integers(0, 255, (80, 96), dtype=np.uint8) for _ in range(25)], keyframe_interval=5)
    movie.write_bytes(movie.read_bytes()[: movie.stat().st_size // 2])
    with pytest.raises(SystemExit) as stopped:
        run(index.main, stage_settings("index"), movie=movie, out=tmp_path / "m.h5")
    assert stopped.value.code == 2
    assert "m.ts is broken" in capsys.readouterr().err
    assert not (tmp_path / "m.h5").exists()
    run(index.main, stage_settings("index", index={"on_broken": "keep"}), movie=movie, out=tmp_path / "m.h5")
    assert 4 < len(Index.load(tmp_path / "m.h5")) < 15


def test_the_background_is_the_scene_without_the_animals(tmp_path, draw, write_movie, rng, index_of, stage_settings):
    scene = rng.integers(140, 180, SIZE[::-1], dtype=np.uint8)
    passing = [draw([(20 + 4 * t, 40, 12, 5, 20), (140 - 4 * t, 80, 12, 5, 0)], SIZE) for t in range(30)]
    movie = write_movie("m.mkv", [np.where(mask, 50, scene).astype(np.uint8) for mask in passing], **GREY)
    times = index_of([movie])
    settings = stage_settings("background")
    run(background.main, settings, movie=[movie], index=times, reference=times[0], out=tmp_path / "b.h5")
    found = Background.load(tmp_path / "b.h5")
    assert np.array_equal(found.luma, scene[None])
    assert np.array_equal(found.bgr, np.repeat(scene[None, :, :, None], 3, axis=3))
    assert found.frames_used == 30


def test_colours_of_the_background_are_those_of_the_movie(tmp_path, write_movie, index_of, stage_settings):
    movie = write_movie("m.mkv", [np.full((80, 96, 3), (200, 120, 40), np.uint8)] * 5, pixel_format="yuv444p")
    times = index_of([movie])
    settings = stage_settings("background")
    run(background.main, settings, movie=[movie], index=times, reference=times[0], out=tmp_path / "b.h5")
    found = Background.load(tmp_path / "b.h5")
    assert np.abs(found.bgr - np.array([200.0, 120, 40])).max() <= 2
    assert (found.luma == 16 + round((0.114 * 200 + 0.587 * 120 + 0.299 * 40) * 219 / 255)).all()


def test_the_background_of_a_recording_comes_from_all_its_movies(tmp_path, write_movie, index_of, stage_settings):
    movies = [write_movie(f"{level}.mkv", [np.full((80, 96), level, np.uint8)] * n, **GREY) for level, n in ((100, 8), (104, 16))]
    times = index_of(movies)
    settings = stage_settings("background", background={"statistic": "mean", "frames": 12})
    run(background.main, settings, movie=movies, index=times, reference=times[0], out=tmp_path / "b.h5")
    found = Background.load(tmp_path / "b.h5")
    assert found.frames_used == 12
    assert (found.luma == round((4 * 100 + 8 * 104) / 12)).all()


def test_two_movies_of_different_sizes_in_one_recording_are_a_clear_error(tmp_path, write_movie, capsys, index_of, stage_settings):
    movies = [write_movie(f"{name}.mkv", [np.full(shape, 90, np.uint8)]) for name, shape in (("large", (80, 96)), ("small", (64, 80)))]
    times = index_of(movies)
    settings = stage_settings("background")
    with pytest.raises(SystemExit) as stopped:
        run(background.main, settings, movie=movies[1:], index=times[1:], reference=times[0], out=tmp_path / "b.h5")
    assert stopped.value.code == 2
    message = capsys.readouterr().err
    assert "small.mkv: the frames are 80 x 64 px" in message
    assert "(large) are 96 x 80 px" in message
    assert not (tmp_path / "b.h5").exists()
