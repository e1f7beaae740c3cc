"""Every frame with its exact number, from every kind of container, or an error that names the fault."""

import itertools
import os
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from herdbook.errors import HerdbookError
from herdbook.movie.frame import Frame, planes_to_bgr
from herdbook.movie.reading import MovieReader, read_frame_samples, read_frames
from herdbook.movie.scanning import MovieScan, scan_movie
from herdbook.movie.writing import MovieWriter
from tests.conftest import ROOT

av.logging.set_level(None)

N = 90
WIDTH, HEIGHT = 128, 96
MILLISECOND = Fraction(1, 1000)
FLIES = ROOT.parent / "shared" / "data" / "flies2" / "movie.mp4"


def picture(number: int) -> np.ndarray:
    """A grey scene with a moving square and the frame's number as eight bright or dark blocks."""
    image = np.tile(np.linspace(60, 180, WIDTH).astype(np.uint8), (HEIGHT, 1))
    row, col = 30 + number * 3 % 50, number * 5 % (WIDTH - 12)
    image[row : row + 12, col : col + 12] = 40
    for bit in range(8):
        image[8:24, 16 * bit : 16 * bit + 16] = 220 if number >> bit & 1 else 30
    return image


def number_in(image: np.ndarray) -> int:
    return sum(int(image[12:20, 16 * bit + 4 : 16 * bit + 12].mean() > 125) << bit for bit in range(8))


@contextmanager
def same_priority():
    """The encoder of AV1, run by root, gives the thread that opens it the highest real-time priority, and leaves it so."""
    policy, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        os.sched_setscheduler(0, policy, parameters)


@same_priority()
def write_movie(path, codec="libx264", pixel_format="yuv420p", times_ms=None, bframes=2, gop=24, **settings):
    """A movie of `picture` 0 .. N-1; `times_ms` gives each frame its time (default 25 fps)."""
    mux_options = settings.pop("mux", {})
    container = av.open(str(path), "w", format=settings.pop("format", None), options=mux_options)
    stream = container.add_stream(codec, rate=25, options=settings)
    stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, pixel_format
    context = stream.codec_context
    context.gop_size, context.thread_count = gop, 1
    if bframes is not None:
        context.max_b_frames = bframes
    if times_ms is not None:
        context.time_base = MILLISECOND
    for number in range(N):
        frame = av.VideoFrame.from_ndarray(picture(number), format="gray").reformat(format=pixel_format)
        frame.pts = number if times_ms is None else int(times_ms[number])
        frame.time_base = Fraction(1, 25) if times_ms is None else MILLISECOND
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))
    container.close()
    return path


def trim_without_encoding(source: Path, target: Path, seconds: float) -> Path:
    """Drop the beginning by an edit list: the packets from the keyframe on stay in the file."""
    with av.open(str(source)) as whole, av.open(str(target), "w", format="mp4") as trimmed:
        stream = whole.streams.video[0]
        copy = trimmed.add_stream_from_template(stream)
        shift = round(seconds / stream.time_base)
        for packet in whole.demux(stream):
            if packet.size:
                packet.pts, packet.dts, packet.stream = packet.pts - shift, packet.dts - shift, copy
                trimmed.mux(packet)
    return target


VFR_MS = np.cumsum(np.random.default_rng(3).integers(15, 90, N))
QUIET = {"x265-params": "pools=1:frame-threads=1:log-level=error"}
KINDS = {
    "h264-bframes-vfr.mp4": {"times_ms": VFR_MS, "bframes": 3},
    "h264-open-gop.mp4": {"x264-params": "open-gop=1:scenecut=0", "bframes": 3},
    "h264-short-gop.mp4": {"gop": 3},
    "h264-fragmented.mp4": {"mux": {"movflags": "frag_keyframe+empty_moov"}},
    "h264-10bit.mp4": {"pixel_format": "yuv420p10le"},
    "h264-422.mkv": {"pixel_format": "yuv422p"},
    "h264-vfr.mkv": {"times_ms": VFR_MS},
    "h264.ts": {"format": "mpegts"},
    "mpeg2.ts": {"format": "mpegts", "codec": "mpeg2video"},
    "mpeg4.avi": {"codec": "mpeg4", "bframes": 0},
    "mpeg4-bframes.avi": {"codec": "mpeg4"},
    "h264-bframes.avi": {},
    "mjpeg.avi": {"codec": "mjpeg", "pixel_format": "yuvj420p", "bframes": None},
    "raw.avi": {"codec": "rawvideo", "pixel_format": "yuv420p", "bframes": None},
    "h264.h264": {"format": "h264"},
    "hevc.mp4": {"codec": "libx265", **QUIET},
    "hevc-grey.mp4": {"codec": "libx265", "pixel_format": "gray", **QUIET},
    "ffv1-grey.mkv": {"codec": "ffv1", "pixel_format": "gray", "bframes": None},
    "vp9.webm": {"codec": "libvpx-vp9", "bframes": None, "cpu-used": "8", "deadline": "realtime"},
    "av1.mp4": {"codec": "libsvtav1", "bframes": None, "preset": "10"},
    "av1-short-gop.mkv": {"codec": "libsvtav1", "bframes": None, "gop": 8, "preset": "10"},
}


@pytest.fixture(scope="module")
def movies(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, int]]:
    """Path of each kind of movie and the number in its first frame."""
    folder = tmp_path_factory.mktemp("movies")
    made = {}
    for name, settings in KINDS.items():
        made[name] = (write_movie(folder / name, **settings), 0)
    whole = made["h264-short-gop.mp4"][0]
    made["edit-list.mp4"] = (trim_without_encoding(whole, folder / "edit-list.mp4", 1.0), 25)
    made["edit-list-long-gop.mp4"] = (
        trim_without_encoding(write_movie(folder / "long.mp4", gop=60), folder / "edit-list-long-gop.mp4", 0.4),
        10,
    )
    images = folder / "images"
    images.mkdir()
    for number in range(N):
        cv2.imwrite(str(images / f"frame{number}.png"), picture(number))
    made["images"] = (images, 0)
    return made


ALL = [*KINDS, "edit-list.mp4", "edit-list-long-gop.mp4", "images"]


def numbers(frames) -> list[tuple[int, int]]:
    return [(frame.index, number_in(frame.luma)) for frame in frames]


def lumas(frames) -> dict[int, np.ndarray]:
    return {frame.index: frame.luma.copy() for frame in frames}


def assert_same_pixels(found: dict[int, np.ndarray], whole: dict[int, np.ndarray], expected) -> None:
    """Frames damaged by a wrong start still show a readable number, so every pixel is compared."""
    assert list(found) == list(expected)
    for index, luma in found.items():
        np.testing.assert_array_equal(luma, whole[index])


@pytest.mark.parametrize("name", ALL)
def test_every_frame_is_read_once_with_its_number(movies, name: str) -> None:
    path, first = movies[name]
    scan = scan_movie(path)
    assert (scan.n_frames, scan.width, scan.height) == (N - first, WIDTH, HEIGHT)
    assert numbers(read_frames(path, scan)) == [(i, i + first) for i in range(N - first)]


@pytest.mark.parametrize("name", ALL)
def test_reading_may_begin_and_end_anywhere(movies, name: str) -> None:
    path, _ = movies[name]
    scan = scan_movie(path)
    whole = lumas(read_frames(path, scan))
    for start in range(0, scan.n_frames, 5):
        stop = min(start + 4, scan.n_frames)
        assert_same_pixels(lumas(read_frames(path, scan, start, stop)), whole, range(start, stop))


@pytest.mark.parametrize("name", ALL)
def test_samples_are_the_requested_frames(movies, name: str) -> None:
    path, _ = movies[name]
    scan = scan_movie(path)
    whole = lumas(read_frames(path, scan))
    rng = np.random.default_rng(0)
    for size in (1, 3, 12, 40):
        chosen = np.sort(rng.choice(scan.n_frames, size, replace=False))
        assert_same_pixels(lumas(read_frame_samples(path, scan, chosen)), whole, chosen)


@pytest.mark.parametrize("name", ["h264-short-gop.mp4", "h264-open-gop.mp4", "h264.ts", "h264-bframes.avi", "h264.h264", "images"])
def test_intervals_read_one_after_another_or_out_of_order_are_the_same_frames(movies, name) -> None:
    path = movies[name][0]
    scan = scan_movie(path)
    whole = lumas(read_frames(path, scan))
    reader, third = MovieReader(path, scan), scan.n_frames // 3
    for start, stop in ((0, third), (third, 2 * third), (5, 9), (2 * third, scan.n_frames), (0, 0), (0, 2)):
        assert_same_pixels(lumas(reader.frames(start, stop)), whole, np.arange(start, stop))


def test_a_movie_whose_frames_are_counted_is_read_from_its_first_frame_on(movies) -> None:
    for name in ("h264.h264", "h264-bframes.avi"):
        assert np.flatnonzero(scan_movie(movies[name][0]).keyframe).tolist() == [0]


def test_times_are_those_of_the_frames(movies) -> None:
    for name in ("h264-bframes-vfr.mp4", "h264-vfr.mkv"):
        scan = scan_movie(movies[name][0])
        np.testing.assert_allclose(scan.time_s, (VFR_MS - VFR_MS[0]) / 1000, atol=1e-9)
        assert scan.fps == pytest.approx((N - 1) / scan.time_s[-1], rel=0.01)
    for name in ("h264.ts", "mpeg4-bframes.avi", "h264.h264", "edit-list.mp4", "images"):
        scan = scan_movie(movies[name][0])
        np.testing.assert_allclose(scan.time_s, np.arange(scan.n_frames) / 25, atol=1e-9)
        assert scan.fps == 25


def test_keyframes_lie_where_the_encoder_put_them(movies) -> None:
    scan = scan_movie(movies["mpeg4.avi"][0])
    assert np.flatnonzero(scan.keyframe).tolist() == list(range(0, N, 24))
    assert np.diff(scan.pts).min() > 0


def test_the_scan_describes_the_pixel_format(movies) -> None:
    def facts(name: str) -> tuple[str, str, bool, bool]:
        scan = scan_movie(movies[name][0])
        return scan.codec, scan.pixel_format, scan.grey, scan.full_range

    assert facts("h264-10bit.mp4") == ("h264", "yuv420p10le", False, False)
    assert facts("mjpeg.avi") == ("mjpeg", "yuvj420p", False, True)
    assert facts("hevc-grey.mp4") == ("hevc", "gray", True, True)
    assert facts("images") == ("png", "gray", True, True)


def test_image_folder_has_the_rate_it_is_given(movies) -> None:
    scan = scan_movie(movies["images"][0], fps=50)
    assert scan.fps == 50
    assert scan.time_s[-1] == pytest.approx((N - 1) / 50)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".pgm"])
def test_images_are_in_natural_order(tmp_path: Path, suffix: str) -> None:
    for number in (2, 10, 1, 9, 100):
        cv2.imwrite(str(tmp_path / f"cam{number}{suffix}"), picture(number))
    scan = scan_movie(tmp_path)
    assert numbers(read_frames(tmp_path, scan)) == [(0, 1), (1, 2), (2, 9), (3, 10), (4, 100)]


def test_images_of_two_sizes_are_refused_by_name(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a1.png"), picture(1))
    cv2.imwrite(str(tmp_path / "a2.png"), picture(2)[:-2])
    with pytest.raises(HerdbookError, match=r"a2\.png"):
        scan_movie(tmp_path)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".pgm"])
def test_half_an_image_at_the_end_is_found(tmp_path: Path, suffix: str) -> None:
    for number in range(3):
        cv2.imwrite(str(tmp_path / f"a{number}{suffix}"), picture(number))
    last = tmp_path / f"a2{suffix}"
    last.write_bytes(last.read_bytes()[: last.stat().st_size * 2 // 3])
    with pytest.raises(HerdbookError, match=rf"a2\{suffix}.*last good frame is 1"):
        scan_movie(tmp_path)
    assert scan_movie(tmp_path, on_broken="keep").n_frames == 2


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("text.mp4", b"this is a note, not a movie\n" * 50),
        ("empty.mp4", b""),
        ("text.avi", b"frame,x,y\n0,1,2\n" * 50),
        ("sound.wav", None),
        ("absent.mp4", None),
    ],
)
@pytest.mark.parametrize("on_broken", ["stop", "keep"])
def test_what_is_no_movie_is_refused_by_name(tmp_path: Path, name: str, content, on_broken: str) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    if name == "sound.wav":
        with av.open(str(path), "w") as container:
            stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
            samples = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), layout="mono")
            samples.sample_rate = 8000
            container.mux(stream.encode(samples))
    with pytest.raises(HerdbookError, match=name):
        scan_movie(path, on_broken=on_broken)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HerdbookError, match="contains no images"):
        scan_movie(tmp_path)


TRUNCATED = [
    "h264-bframes-vfr.mp4",
    "h264-fragmented.mp4",
    "h264-vfr.mkv",
    "h264.ts",
    "mpeg2.ts",
    "mpeg4.avi",
    "h264-bframes.avi",
    "mjpeg.avi",
    "vp9.webm",
]


@pytest.mark.parametrize("name", [*TRUNCATED, "faststart.mp4"])
def test_a_file_cut_anywhere_is_refused_or_keeps_only_right_frames(movies, tmp_path: Path, name: str) -> None:
    source = movies[name][0] if name in movies else write_movie(tmp_path / "w.mp4", mux={"movflags": "faststart"})
    data = source.read_bytes()
    whole = lumas(read_frames(source, scan_movie(source)))
    path = tmp_path / name
    lengths = []
    for cut in np.random.default_rng(1).integers(1, len(data), 60):
        path.write_bytes(data[:cut])
        try:
            scan = scan_movie(path, on_broken="keep")
        except HerdbookError:
            continue
        assert_same_pixels(lumas(read_frames(path, scan)), whole, range(scan.n_frames))
        lengths.append(scan.n_frames)
    if name in ("faststart.mp4", "h264.ts", "h264-vfr.mkv", "mpeg4.avi"):
        assert max(lengths) > N // 2


@pytest.mark.parametrize("name", ["faststart.mp4", "h264-vfr.mkv", "mpeg4.avi", "h264-fragmented.mp4"])
def test_a_cut_file_stops_with_the_last_good_frame(movies, tmp_path: Path, name: str) -> None:
    source = movies[name][0] if name in movies else write_movie(tmp_path / "w.mp4", mux={"movflags": "faststart"})
    path = tmp_path / name
    whole = source.read_bytes()
    path.write_bytes(whole[: len(whole) * 2 // 3])
    kept = scan_movie(path, on_broken="keep")
    last = f"last good frame is {kept.n_frames - 1}, at {kept.time_s[-1]:.3f} s"
    with pytest.raises(HerdbookError, match=rf"{name} is broken.*{last}"):
        scan_movie(path)


def test_damage_in_the_middle_stops_reading_at_its_frame(movies, tmp_path: Path) -> None:
    data = bytearray(movies["h264-bframes-vfr.mp4"][0].read_bytes())
    with av.open(str(movies["h264-bframes-vfr.mp4"][0])) as container:
        packets = [p for p in container.demux(video=0) if p.size]
    pts = sorted(p.pts for p in packets)
    victim = next(p for p in packets[30:] if p.is_keyframe)
    data[victim.pos + 4 : victim.pos + victim.size] = bytes(victim.size - 4)
    path = tmp_path / "damaged.mp4"
    path.write_bytes(data)
    scan = scan_movie(path)
    bad = pts.index(victim.pts)
    frames = read_frames(path, scan)
    assert numbers(itertools.islice(frames, bad)) == [(i, i) for i in range(bad)]
    with pytest.raises(HerdbookError, match=rf"damaged\.mp4: no frame {bad} "):
        next(frames)


def test_a_table_that_does_not_fit_the_movie_is_refused(movies) -> None:
    path, _ = movies["h264-bframes-vfr.mp4"]
    scan = scan_movie(path)
    pts = scan.pts
    with pytest.raises(HerdbookError, match=r"no frame 40 .*not in its frame table"):
        list(read_frames(path, replace(scan, pts=np.delete(pts, 40))))
    with pytest.raises(HerdbookError, match="no frame 40 "):
        list(read_frames(path, replace(scan, pts=np.insert(pts, 40, pts[40] - 1))))
    with pytest.raises(HerdbookError, match=f"no frame {N} "):
        list(read_frames(path, replace(scan, pts=np.append(pts, pts[-1] + 1000))))
    with pytest.raises(HerdbookError, match="were requested"):
        list(read_frames(path, scan, 0, N + 1))


def one_frame(pixels: np.ndarray, pixel_format: str, **tags: int) -> Frame:
    """A frame with these planes, as a decoder would give it."""
    frame = av.VideoFrame.from_ndarray(pixels, format="bgr24").reformat(format=pixel_format, threads=1)
    for tag, value in tags.items():
        setattr(frame, tag, value)
    return Frame(0, frame, av.video.reformatter.VideoReformatter())


def reference_grey(frame: Frame) -> np.ndarray:
    return cv2.cvtColor(frame._frame.to_ndarray(format="rgb24"), cv2.COLOR_RGB2GRAY)


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuvj420p", "yuv422p", "yuv444p", "gray", "yuv420p10le", "nv12"])
@pytest.mark.parametrize("size", [(64, 96), (63, 95), (64, 33), (65, 130), (2, 2)])
@pytest.mark.parametrize("colourful", [False, True])
def test_grey_is_the_conversion_that_lk_rstc_is_defined_on(pixel_format, size, colourful, rng) -> None:
    pixels = rng.integers(0, 256, (*size, 3), dtype=np.uint8)
    if not colourful:
        pixels[:] = pixels[:, :, :1]
    for colorspace in (1, 2, 5):
        frame = one_frame(pixels, pixel_format, colorspace=colorspace)
        np.testing.assert_array_equal(frame.grey(), reference_grey(frame))


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def patch_of(frame: Frame, x0: int, y0: int, x1: int, y1: int) -> np.ndarray:
    """The colours of a box with even corners from the parts of the planes in it, as images of blobs are made."""
    parts = []
    for plane in frame.planes():
        rows, columns = (-(-whole // part) for whole, part in zip(frame.luma.shape, plane.shape, strict=True))
        parts.append(plane[y0 // rows : -(-y1 // rows), x0 // columns : -(-x1 // columns)])
    return planes_to_bgr(parts, frame.coding)


@pytest.mark.parametrize("full_range", [False, True])
def test_grey_follows_every_luma_of_a_movie_without_colour(full_range: bool) -> None:
    ramp = av.VideoFrame(256, 2, "yuvj420p" if full_range else "yuv420p")
    for number, plane in enumerate(ramp.planes):
        np.frombuffer(plane, np.uint8).reshape(plane.height, -1)[:, : plane.width] = np.arange(256) if number == 0 else 128
    grey = Frame(0, ramp, av.video.reformatter.VideoReformatter()).grey()
    np.testing.assert_array_equal(grey, cv2.cvtColor(ramp.to_ndarray(format="rgb24"), cv2.COLOR_RGB2GRAY))
    expected = np.arange(256) if full_range else np.clip((np.arange(256) - 16) * 255 / 219, 0, 255)
    assert np.abs(grey - expected).max() <= 1


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuvj420p", "yuv422p", "yuv444p"])
@pytest.mark.parametrize("colorspace", [1, 2, 9])
@pytest.mark.parametrize("color_range", [1, 2])
def test_patches_have_the_colours_of_the_full_conversion(pixel_format, colorspace, color_range, rng) -> None:
    blocks = rng.integers(0, 256, (8, 12, 3), dtype=np.uint8)
    pixels = cv2.resize(blocks, (96, 64), interpolation=cv2.INTER_NEAREST)
    frame = one_frame(pixels, pixel_format, colorspace=colorspace, color_range=color_range)
    inside = np.zeros((8, 8), dtype=bool)
    inside[2:-2, 2:-2] = True  # away from the chroma edges
    inside = np.tile(inside, (8, 12))
    for x0, y0, x1, y1 in ((0, 0, 96, 64), (14, 8, 50, 44), (94, 62, 96, 64)):
        patch = patch_of(frame, x0, y0, x1, y1)
        difference = np.abs(patch.astype(int) - frame.bgr()[y0:y1, x0:x1])
        assert patch.shape == (y1 - y0, x1 - x0, 3)
        assert difference[inside[y0:y1, x0:x1]].max(initial=0) <= 2


@pytest.mark.parametrize("pixel_format", ["nv12", "yuv420p10le", "rgb24", "uyvy422"])
def test_patches_of_other_formats_are_cut_from_the_full_conversion(pixel_format: str, rng) -> None:
    frame = one_frame(rng.integers(0, 256, (32, 48, 3), dtype=np.uint8), pixel_format)
    np.testing.assert_array_equal(patch_of(frame, 6, 4, 20, 30), frame.bgr()[4:30, 6:20])


def test_patches_of_a_grey_movie_have_three_equal_channels(movies) -> None:
    for name in ("hevc-grey.mp4", "ffv1-grey.mkv", "h264-bframes-vfr.mp4"):
        path, _ = movies[name]
        frame = next(iter(read_frames(path, scan_movie(path))))
        patch = patch_of(frame, 4, 6, 60, 70)
        np.testing.assert_array_equal(patch, np.repeat(frame.grey()[6:70, 4:60, None], 3, axis=2))


@pytest.mark.parametrize("pixel_format", ["yuv420p", "gray", "bgr24"])
def test_a_frame_is_scaled_down_by_areas(rng, pixel_format) -> None:
    image = cv2.GaussianBlur(rng.integers(0, 256, (90, 120, 3), dtype=np.uint8), (0, 0), 8)
    frame = one_frame(cv2.normalize(image, None, 0, 255, cv2.NORM_MINMAX), pixel_format)
    small = frame.bgr_scaled(80, 60)
    expected = cv2.resize(frame.bgr(), (80, 60), interpolation=cv2.INTER_AREA).astype(int)
    assert small.shape == (60, 80, 3)
    assert np.abs(small - expected).mean() < 2
    assert abs((small - expected).mean()) < 0.5


def test_luma_is_a_view_that_cannot_be_written(movies) -> None:
    path, _ = movies["h264-bframes-vfr.mp4"]
    frame = next(iter(read_frames(path, scan_movie(path))))
    assert frame.luma.base is not None
    with pytest.raises(ValueError, match="read-only"):
        frame.luma[0, 0] = 1


def test_ten_bits_are_shifted_to_eight(movies) -> None:
    eight, ten = (movies[name][0] for name in ("h264-bframes-vfr.mp4", "h264-10bit.mp4"))
    for a, b in zip(*(read_frames(path, scan_movie(path), 0, 3) for path in (eight, ten)), strict=True):
        assert b.luma.dtype == np.uint8
        assert np.abs(a.luma.astype(int) - b.luma).mean() < 2


def written(path: Path, frames: list[np.ndarray], **settings) -> MovieScan:
    height, width = frames[0].shape[:2]
    with MovieWriter(path, width, height, 30000 / 1001, **settings) as writer:
        for frame in frames:
            writer.write(frame)
    return scan_movie(path)


@pytest.mark.parametrize(
    ("suffix", "settings"),
    [
        (".mp4", {}),
        (".mkv", {"pixel_format": "yuv444p", "crf": 10}),
        (".mp4", {"codec": "libx265"}),
        (".mp4", {"pixel_format": "gray", "crf": 10}),
        (".ts", {"keyframe_interval": 4}),
        (".avi", {"codec": "mpeg4", "options": {"b": "4000000"}}),
    ],
)
def test_what_is_written_is_read_back(tmp_path: Path, suffix: str, settings: dict) -> None:
    path = tmp_path / f"out{suffix}"
    frames = [picture(number) for number in range(12)]
    frames[3] = cv2.cvtColor(frames[3], cv2.COLOR_GRAY2BGR)
    scan = written(path, frames, **settings)
    assert (scan.n_frames, scan.width, scan.height) == (12, WIDTH, HEIGHT)
    assert scan.fps == pytest.approx(30000 / 1001, rel=1e-4)
    for number, frame in enumerate(read_frames(path, scan)):
        assert number_in(frame.luma) == number
        assert np.abs(frame.grey().astype(int) - picture(number)).mean() < 3
    if "keyframe_interval" in settings:
        assert np.diff(np.flatnonzero(scan.keyframe)).max() <= 4
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_odd_sizes_grow_by_one_repeated_pixel(tmp_path: Path) -> None:
    frames = [cv2.cvtColor(picture(0)[: HEIGHT - 1, : WIDTH - 1], cv2.COLOR_GRAY2BGR)] * 3
    path = tmp_path / "odd.mp4"
    scan = written(path, frames, crf=5)
    assert (scan.width, scan.height) == (WIDTH, HEIGHT)
    luma = next(iter(read_frames(path, scan))).luma.astype(int)
    assert np.abs(luma[:, -1] - luma[:, -2]).max() < 6
    assert np.abs(luma[-1] - luma[-2]).max() < 6


def test_a_writer_that_fails_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    with pytest.raises(RuntimeError), MovieWriter(path, WIDTH, HEIGHT, 25) as writer:  # noqa: PT012
        writer.write(picture(0))
        raise RuntimeError
    with pytest.raises(ValueError, match="expected uint8"), MovieWriter(path, WIDTH, HEIGHT, 25) as writer:
        writer.write(picture(0)[1:])
    with pytest.raises(HerdbookError, match="no frame was written"), MovieWriter(path, WIDTH, HEIGHT, 25):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_file_name_without_a_known_suffix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HerdbookError, match="unknown kind of movie"):
        MovieWriter(tmp_path / "out.xyz", WIDTH, HEIGHT, 25)
    with pytest.raises(HerdbookError, match="nosuchcodec"), MovieWriter(tmp_path / "a.mp4", 64, 64, 25, codec="nosuchcodec"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_real_movie_is_read_whole() -> None:
    if not FLIES.is_file():
        pytest.skip(f"needs the recording {FLIES}")
    scan = scan_movie(FLIES)
    assert scan.n_frames == 3000
    assert scan.fps == 25
    frames = read_frames(FLIES, scan, 2990)
    assert [frame.index for frame in frames] == list(range(2990, 3000))
    frame = next(iter(read_frame_samples(FLIES, scan, [1234])))
    np.testing.assert_array_equal(frame.grey(), reference_grey(frame))
