"""When frames were filmed: by the file, a given rate or given times; and every n-th frame of any movie."""

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from herdbook.errors import HerdbookError
from herdbook.movie.reading import MovieReader, read_frame_samples, read_frames
from herdbook.movie.scanning import scan_movie
from tests.unit.movie.test_reading import N, lumas, number_in, numbers, picture, write_movie

av.logging.set_level(None)

MILLISECOND = Fraction(1, 1000)


def with_stamps(path: Path, stamps: list[int | None]) -> Path:
    """A Matroska movie of `picture` 0, 1, ... whose packets have these time stamps (ms)."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = picture(0).shape[1], picture(0).shape[0], "yuv420p"
        context = stream.codec_context
        context.max_b_frames, context.gop_size, context.time_base = 0, 12, MILLISECOND
        packets = []
        for number in range(len(stamps)):
            frame = av.VideoFrame.from_ndarray(picture(number), format="gray").reformat(format="yuv420p")
            frame.pts, frame.time_base = number * 40, MILLISECOND
            packets += stream.encode(frame)
        packets += stream.encode(None)
        for packet, stamp in zip(packets, stamps, strict=True):
            packet.pts = packet.dts = stamp
            packet.time_base = MILLISECOND
            container.mux(packet)
    return path


def images(folder: Path, number: int = N) -> Path:
    folder.mkdir()
    for k in range(number):
        cv2.imwrite(str(folder / f"{k}.png"), picture(k))
    return folder


def test_a_rate_is_given_to_images(tmp_path: Path) -> None:
    scan = scan_movie(images(tmp_path / "images"), fps=2.5)
    assert scan.fps == 2.5
    np.testing.assert_allclose(scan.time_s, np.arange(N) * 0.4)
    assert scan.notes == ()


def test_images_without_a_rate_are_told_to_have_none(tmp_path: Path) -> None:
    scan = scan_movie(images(tmp_path / "images", 3))
    (note,) = scan.notes
    assert scan.fps == 25
    assert "25 frames/s are assumed" in note
    assert "movies[].fps" in note


@pytest.mark.parametrize("name", ["m.mp4", "m.h264", "m.avi"])
def test_a_rate_counts_more_than_that_of_the_file(tmp_path: Path, name: str) -> None:
    path = write_movie(tmp_path / name)
    scan = scan_movie(path, fps=1 / 3)
    assert scan.fps == pytest.approx(1 / 3)
    np.testing.assert_allclose(scan.time_s, np.arange(N) * 3)
    assert numbers(read_frame_samples(path, scan, [4, 40])) == [(4, 4), (40, 40)]


def test_given_times_are_those_of_the_frames(tmp_path: Path) -> None:
    times_s = 1000 + np.cumsum(np.random.default_rng(1).uniform(0.02, 0.2, N))
    for path in (write_movie(tmp_path / "m.mp4"), images(tmp_path / "images")):
        scan = scan_movie(path, times_s=times_s)
        np.testing.assert_allclose(scan.time_s, times_s - 1000 - (times_s[0] - 1000))
        assert scan.fps == pytest.approx((N - 1) / (times_s[-1] - times_s[0]))
        longest = int(np.diff(times_s).argmax())
        assert [note for note in scan.notes if f"follows frame {longest}" in note]


@pytest.mark.parametrize("n", [N - 1, N + 1])
def test_as_many_times_as_frames_are_needed(tmp_path: Path, n: int) -> None:
    with pytest.raises(HerdbookError, match=rf"m\.mp4 has {N} frames, but its file of times \(movies\[\]\.times\) has {n} times"):
        scan_movie(write_movie(tmp_path / "m.mp4"), times_s=np.arange(n) / 25)


def test_a_movie_that_is_cut_keeps_the_times_of_its_frames(tmp_path: Path) -> None:
    path = write_movie(tmp_path / "m.mkv")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    times_s = np.arange(N) * 0.04 + np.arange(N) ** 2 * 1e-4
    scan = scan_movie(path, "keep", times_s=times_s)
    assert 1 < scan.n_frames < N
    np.testing.assert_allclose(scan.time_s, times_s[: scan.n_frames])
    with pytest.raises(HerdbookError, match="has 3 times"):
        scan_movie(path, "keep", times_s=times_s[:3])


@pytest.mark.parametrize(("factor", "unit"), [(1e3, "ms"), (1e6, "us"), (1e9, "ns")])
def test_times_in_another_unit_are_refused(tmp_path: Path, factor: float, unit: str) -> None:
    path = write_movie(tmp_path / "m.mp4")
    with pytest.raises(HerdbookError, match=rf"seem to be in {unit}.*time_{unit}"):
        scan_movie(path, times_s=np.arange(N) / 25.1 * factor)


@pytest.mark.parametrize("fault", ["equal", "all equal"])
def test_frames_with_equal_time_stamps_are_counted_once_their_times_are_given(tmp_path: Path, fault: str) -> None:
    stamps = [40 * (number - number % 2) for number in range(40)] if fault == "equal" else [0] * 40
    path = with_stamps(tmp_path / "m.mkv", stamps)
    with pytest.raises(HerdbookError, match=r"frames have the time stamp of the one before.*movies\[\]\.fps.*none is lost"):
        scan_movie(path)
    for clock in ({"fps": 30}, {"times_s": np.arange(40) / 30}):
        scan = scan_movie(path, **clock)
        assert (scan.n_frames, scan.fps) == (40, pytest.approx(30))
        np.testing.assert_allclose(scan.time_s, np.arange(40) / 30)
        assert numbers(read_frames(path, scan)) == [(k, k) for k in range(40)]
        assert numbers(read_frame_samples(path, scan, [3, 20, 39])) == [(k, k) for k in (3, 20, 39)]
        assert numbers(MovieReader(path, scan).frames(11, 14)) == [(k, k) for k in (11, 12, 13)]


EVERY_KINDS = {
    "short-gop.mp4": {"gop": 3},
    "bframes.mp4": {"bframes": 3},
    "long-gop.mkv": {"gop": 60},
    "m.ts": {"format": "mpegts"},
    "bframes.avi": {},
    "m.h264": {"format": "h264"},
    "mjpeg.avi": {"codec": "mjpeg", "pixel_format": "yuvj420p", "bframes": None},
    "av1.mp4": {"codec": "libsvtav1", "bframes": None, "preset": "10"},
}


@pytest.mark.parametrize("every", [2, 7, 40, 1000])
@pytest.mark.parametrize("name", [*EVERY_KINDS, "images", "stack.tif"])
def test_every_nth_frame_is_the_same_by_all_ways(tmp_path: Path, name: str, every: int) -> None:
    if name == "images":
        path = images(tmp_path / name)
    elif name == "stack.tif":
        path = tmp_path / name
        cv2.imwritemulti(str(path), [picture(k) for k in range(N)])
    else:
        path = write_movie(tmp_path / name, **EVERY_KINDS[name])
    whole = lumas(read_frames(path, scan_movie(path)))
    scan = scan_movie(path, every=every)
    kept = range(0, N, every)
    assert scan.n_frames == len(kept)
    assert scan.fps == pytest.approx(25 / every)
    np.testing.assert_allclose(scan.time_s, np.array(kept) / 25, atol=1e-9)
    assert [note for note in scan.notes if f"one in {every} of its {N} frames" in note]
    half = len(kept) // 2
    ways = [read_frames(path, scan), read_frames(path, scan, half), read_frame_samples(path, scan, range(half, len(kept)))]
    ways += [read_frame_samples(path, scan, [len(kept) - 1]), MovieReader(path, scan).frames(half, len(kept))]
    found = [lumas(way) for way in ways]
    assert [len(frames) for frames in found] == [len(kept), *[len(kept) - half] * 2, 1, len(kept) - half]
    for frames in found:
        for index, luma in frames.items():
            np.testing.assert_array_equal(luma, whole[index * every])
            assert number_in(luma) == index * every


def test_decoding_every_nth_frame_may_begin_where_a_keyframe_lies_before(tmp_path: Path) -> None:
    path = write_movie(tmp_path / "m.avi", codec="mpeg4", bframes=0)  # keyframes 0, 24, 48, 72
    assert np.flatnonzero(scan_movie(path, every=10).keyframe).tolist() == [0, 3, 5, 8]


def test_every_nth_of_given_times(tmp_path: Path) -> None:
    times_s = np.arange(N) ** 1.5
    scan = scan_movie(images(tmp_path / "images"), times_s=times_s, every=4)
    np.testing.assert_allclose(scan.time_s, times_s[::4])
    assert scan.fps == pytest.approx((N - 1) / times_s[-1] / 4)
