"""Pictures are read as they are meant: turned as the file asks, from the stream that is meant, every page, all their bits, in one size."""

import struct
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps, TiffImagePlugin

from herdbook.errors import HerdbookError
from herdbook.movie.frame import planes_to_bgr
from herdbook.movie.orientation import orientation_of_frame, turned, undone
from herdbook.movie.reading import MovieReader, read_frame_samples, read_frames
from herdbook.movie.scanning import scan_movie

av.logging.set_level(None)

WIDTH, HEIGHT, N = 96, 64, 12
ORIENTATIONS = range(1, 9)


def scene(number: int, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """Colours (height, width, 3) RGB that look different from every side, and in every frame."""
    image = np.full((height, width, 3), 90, np.uint8)
    image[: height // 2, : width // 3] = (220, 60, 60)
    image[height // 2 :, : width // 6] = (60, 60, 210)
    image[8:16, 8 + 4 * number : 16 + 4 * number] = 240
    return image


def write(path: Path, pixel_format: str = "yuv420p", codec: str = "libx264", size=(WIDTH, HEIGHT), setup=None, n: int = N) -> Path:
    """A movie of `scene` 0 .. n - 1, nearly without loss."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options={"crf": "4"} if codec == "libx264" else {})
        stream.width, stream.height, stream.pix_fmt = *size, pixel_format
        stream.codec_context.gop_size = 5
        if setup:
            setup(stream)
        for number in range(n):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(scene(number, *size), format="rgb24").reformat(format=pixel_format)))
        container.mux(stream.encode(None))
    return path


def with_display_matrix(source: Path, target: Path, orientation: int) -> Path:
    """The movie with another display matrix in the header of its track (ISO 14496-12)."""
    parts = {1: (1, 0, 0, 1), 2: (-1, 0, 0, 1), 3: (-1, 0, 0, -1), 4: (1, 0, 0, -1)}
    parts |= {5: (0, 1, 1, 0), 6: (0, 1, -1, 0), 7: (0, -1, -1, 0), 8: (0, -1, 1, 0)}
    a, b, c, d = (part << 16 for part in parts[orientation])
    data = bytearray(source.read_bytes())
    start = data.index(b"tkhd") + 4 + 40
    data[start : start + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    target.write_bytes(data)
    return target


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_turning_is_what_pillow_does_and_can_be_undone(orientation: int) -> None:
    image = scene(3)
    exif = Image.Exif()
    exif[0x0112] = orientation
    shown = Image.fromarray(image)
    shown.getexif()[0x0112] = orientation
    np.testing.assert_array_equal(turned(image, orientation), np.asarray(ImageOps.exif_transpose(shown)))
    np.testing.assert_array_equal(turned(turned(image, orientation), undone(orientation)), image)


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuvj420p", "yuv422p", "yuv444p", "yuv420p10le", "gray"])
@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_a_movie_is_read_as_its_display_matrix_asks(tmp_path: Path, pixel_format: str, orientation: int) -> None:
    stored = write(tmp_path / "stored.mp4", pixel_format)
    path = with_display_matrix(stored, tmp_path / "shown.mp4", orientation)
    plain, scan = scan_movie(stored), scan_movie(path)
    assert (scan.width, scan.height) == ((WIDTH, HEIGHT) if orientation < 5 else (HEIGHT, WIDTH))
    for frame, whole in zip(read_frames(path, scan), read_frames(stored, plain), strict=True):
        np.testing.assert_array_equal(frame.luma, turned(whole.luma, orientation))
        np.testing.assert_array_equal(frame.grey(), turned(whole.grey(), orientation))
        np.testing.assert_array_equal(frame.bgr(), turned(whole.bgr(), orientation))
        colours, expected = (planes_to_bgr(each.planes(), each.coding) for each in (frame, whole))
        np.testing.assert_array_equal(colours, turned(expected, orientation))
        small = frame.bgr_scaled(scan.width // 2, scan.height // 2)
        np.testing.assert_array_equal(small, turned(whole.bgr_scaled(WIDTH // 2, HEIGHT // 2), orientation))


@pytest.mark.parametrize("orientation", [3, 6])
@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv422p"])
def test_colours_of_turned_frames_of_odd_size_stay_with_their_pixels(tmp_path: Path, pixel_format: str, orientation: int) -> None:
    path = write(tmp_path / "odd.mkv", pixel_format, "ffv1", (WIDTH - 1, HEIGHT - 1), n=1)
    scan = scan_movie(path, rotate={3: 180, 6: 90}[orientation])
    frame = next(read_frames(path, scan))
    colours = planes_to_bgr(frame.planes(), frame.coding)
    assert np.abs(colours.astype(int) - frame.bgr()).max() <= 2


def test_all_ways_of_reading_agree_on_a_turned_movie(tmp_path: Path) -> None:
    path = with_display_matrix(write(tmp_path / "stored.mp4"), tmp_path / "shown.mp4", 6)
    scan = scan_movie(path)
    whole = [frame.luma for frame in read_frames(path, scan)]
    assert len(whole) == N
    for frame in (*read_frame_samples(path, scan, [1, 4, 11]), *MovieReader(path, scan).frames(2, 9)):
        np.testing.assert_array_equal(frame.luma, whole[frame.index])


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_a_given_turn_counts_and_not_that_of_the_file(tmp_path: Path, turn: int) -> None:
    stored = write(tmp_path / "stored.mp4")
    path = with_display_matrix(stored, tmp_path / "shown.mp4", 8)
    scan = scan_movie(path, rotate=turn)
    whole = next(read_frames(stored, scan_movie(stored))).bgr()
    np.testing.assert_array_equal(next(read_frames(path, scan)).bgr(), np.rot90(whole, -turn // 90))
    assert scan.notes == ()


def test_a_turn_by_the_file_is_told(tmp_path: Path) -> None:
    scan = scan_movie(with_display_matrix(write(tmp_path / "stored.mp4"), tmp_path / "shown.mp4", 6))
    assert [note for note in scan.notes if "turned clockwise by 90 degrees" in note and "movies[].rotate" in note]


def test_an_angle_that_is_no_quarter_turn_is_told_and_not_obeyed(tmp_path: Path) -> None:
    path = write(tmp_path / "m.mp4", setup=lambda stream: stream.set_display_rotation(30))
    scan = scan_movie(path)
    assert (scan.width, scan.height, scan.orientation) == (WIDTH, HEIGHT, 1)
    assert [note for note in scan.notes if "no quarter turn" in note]
    assert scan_movie(path, rotate=0).notes == ()


def test_a_frame_without_a_matrix_is_as_stored() -> None:
    assert orientation_of_frame(av.VideoFrame(16, 16, "gray")) == 1


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif"])
@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_images_are_read_as_their_exif_data_ask(tmp_path: Path, suffix: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    plain, shown = tmp_path / "plain", tmp_path / "shown"
    for folder, extra in ((plain, {}), (shown, {"exif": exif})):
        folder.mkdir()
        for number in range(3):
            Image.fromarray(scene(number)).save(folder / f"{number}{suffix}", **extra)
    scan = scan_movie(shown)
    assert scan.orientation == orientation
    for frame, whole in zip(read_frames(shown, scan), read_frames(plain, scan_movie(plain)), strict=True):
        np.testing.assert_array_equal(frame.bgr(), turned(whole.bgr(), orientation))
    stored = next(read_frames(shown, scan_movie(shown, rotate=0)))
    np.testing.assert_array_equal(stored.bgr(), next(read_frames(plain, scan_movie(plain))).bgr())


def test_images_that_ask_for_different_turns_are_refused_unless_one_is_given(tmp_path: Path) -> None:
    for number, orientation in enumerate((6, 6, 8)):
        exif = Image.Exif()
        exif[0x0112] = orientation
        Image.fromarray(scene(number)).save(tmp_path / f"{number}.jpg", exif=exif)
    with pytest.raises(HerdbookError, match=r"2\.jpg asks to be turned in another way than 0\.jpg.*movies\[\]\.rotate"):
        scan_movie(tmp_path)
    assert scan_movie(tmp_path, rotate=90).n_frames == 3


def test_pixels_that_are_not_square_are_told_with_a_remedy_that_keeps_all_frames(tmp_path: Path) -> None:
    def wide(stream) -> None:
        stream.codec_context.sample_aspect_ratio = Fraction(4, 3)

    (note,) = scan_movie(write(tmp_path / "m.mp4", setup=wide)).notes
    assert "1.333 times as wide as high" in note
    assert "-fps_mode passthrough" in note


def two_streams(path: Path) -> Path:
    """A movie with a small and a large video stream; the small one shows even numbers only."""
    with av.open(str(path), "w") as container:
        streams = [container.add_stream("libx264", rate=25) for _ in range(2)]
        sizes = [(48, 32), (WIDTH, HEIGHT)]
        for stream, size in zip(streams, sizes, strict=True):
            stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for number in range(N):
            for stream, size in zip(streams, sizes, strict=True):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(scene(number, *size), format="rgb24")))
        for stream in streams:
            container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_of_several_video_streams_one_must_be_chosen(tmp_path: Path, suffix: str) -> None:
    path = two_streams(tmp_path / f"two{suffix}")
    with pytest.raises(HerdbookError, match=r"2 video streams \(0: 48 x 32 px, h264; 1: 96 x 64 px, h264\).*movies\[\]\.stream"):
        scan_movie(path)
    for number, size in enumerate([(48, 32), (WIDTH, HEIGHT)]):
        scan = scan_movie(path, stream=number)
        assert (scan.width, scan.height, scan.n_frames) == (*size, N)
        assert {frame.luma.shape for frame in read_frames(path, scan)} == {size[::-1]}
        assert [frame.index for frame in read_frame_samples(path, scan, [3, 9])] == [3, 9]
    with pytest.raises(HerdbookError, match=r"no video stream 2 .*but 0: 48 x 32"):
        scan_movie(path, stream=2)


def test_a_cover_is_not_the_movie(tmp_path: Path) -> None:
    path = tmp_path / "covered.mp4"
    cover = cv2.imencode(".png", np.zeros((20, 30, 3), np.uint8))[1].tobytes()
    with av.open(str(path), "w") as container:
        picture = container.add_stream("png", rate=25)
        picture.width, picture.height, picture.pix_fmt = 30, 20, "rgb24"
        picture.disposition = av.stream.Disposition.attached_pic
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        packet = av.Packet(cover)
        packet.stream, packet.pts, packet.dts, packet.time_base = picture, 0, 0, Fraction(1, 25)
        container.start_encoding()
        container.mux(packet)
        for number in range(N):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(scene(number), format="rgb24")))
        container.mux(stream.encode(None))
    with av.open(str(path)) as container:
        assert len(container.streams.video) == 2
    scan = scan_movie(path)
    assert (scan.width, scan.height, scan.n_frames) == (WIDTH, HEIGHT, N)
    assert sum(1 for _ in read_frames(path, scan)) == N


def resized(path: Path, change: int) -> Path:
    """A raw H.264 stream, remuxed, whose frames are smaller from frame `change` on."""

    def in_order(stream) -> None:
        stream.codec_context.max_b_frames = 0

    small, large = (WIDTH // 2, HEIGHT // 2), (WIDTH, HEIGHT)
    sizes = {"large": (large, change), "small": (small, N - change)}
    parts = [write(path.with_name(f"{name}.h264"), size=size, setup=in_order, n=n) for name, (size, n) in sizes.items()]
    joined = path.with_name("joined.h264")
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    with av.open(str(joined)) as source, av.open(str(path), "w", format="mpegts") as target:
        copy = target.add_stream_from_template(source.streams.video[0])
        for number, packet in enumerate(packet for packet in source.demux(video=0) if packet.size):
            packet.stream, packet.time_base = copy, Fraction(1, 25)
            packet.pts = packet.dts = number
            target.mux(packet)
    return path


@pytest.mark.parametrize("change", [2, 5, 10])
def test_frames_of_two_sizes_are_told_with_the_frame(tmp_path: Path, change: int) -> None:
    path = resized(tmp_path / "m.ts", change)
    with pytest.raises(
        HerdbookError, match=rf"the frame size changes from 96 x 64 to 48 x 32 px at frame {change}; the last good frame is"
    ):
        scan_movie(path)
    scan = scan_movie(path, on_broken="keep")
    assert (scan.n_frames, scan.width, scan.height) == (change, WIDTH, HEIGHT)
    assert {frame.luma.shape for frame in read_frames(path, scan)} == {(HEIGHT, WIDTH)}


def test_a_frame_of_another_size_is_not_read_by_any_way(tmp_path: Path) -> None:
    path = write(tmp_path / "m.mp4")
    scan = replace(scan_movie(path), width=WIDTH // 2)
    for frames in (read_frames(path, scan), read_frame_samples(path, scan, [7]), MovieReader(path, scan).frames(3, 5)):
        with pytest.raises(HerdbookError, match=r"no frame \d .*the frame size changes"):
            next(frames)


def stack_of(path: Path, images: list[np.ndarray], **settings) -> Path:
    pages = [Image.fromarray(image) for image in images]
    pages[0].save(path, save_all=True, append_images=pages[1:], **settings)
    return path


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_deflate", "packbits"])
@pytest.mark.parametrize("kind", ["grey", "colour", "grey of 16 bits"])
def test_every_page_of_a_stack_is_a_frame(tmp_path: Path, compression: str, kind: str) -> None:
    colours = [scene(number) for number in range(N)]
    greys = [cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in colours]
    pages = {"grey": greys, "colour": colours, "grey of 16 bits": [grey.astype(np.uint16) << 8 for grey in greys]}[kind]
    path = stack_of(tmp_path / "stack.tif", pages, compression=compression)
    scan = scan_movie(path, fps=10)
    assert (scan.n_frames, scan.width, scan.height, scan.fps, scan.codec) == (N, WIDTH, HEIGHT, 10, "tiff")
    assert scan.time_s[-1] == pytest.approx((N - 1) / 10)
    for frame in (*read_frames(path, scan), *read_frame_samples(path, scan, [2, 7]), *MovieReader(path, scan).frames(4, 6)):
        assert np.abs(frame.grey().astype(int) - greys[frame.index]).max() <= 1
        if kind == "colour":
            np.testing.assert_array_equal(frame.bgr(), colours[frame.index][:, :, ::-1])


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_a_stack_is_read_as_its_pages_ask(tmp_path: Path, orientation: int) -> None:
    path = stack_of(tmp_path / "stack.tiff", [scene(number) for number in range(3)], tiffinfo={0x0112: orientation})
    frame = next(read_frame_samples(path, scan_movie(path), [1]))
    np.testing.assert_array_equal(frame.bgr(), turned(scene(1)[:, :, ::-1], orientation))
    np.testing.assert_array_equal(next(read_frames(path, scan_movie(path, rotate=0))).bgr(), scene(0)[:, :, ::-1])


def test_pages_of_two_sizes_are_refused_by_number(tmp_path: Path) -> None:
    path = stack_of(tmp_path / "stack.tif", [scene(0), scene(1), scene(2)[:-2]])
    with pytest.raises(HerdbookError, match=r"page 2 is 96 x 62 px.*page 0 is 96 x 64 px"):
        scan_movie(path)


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        ("ImageJ=1.54f\nimages=5000\nslices=5000\n", r"5000 images, but has 3 pages: ImageJ"),
        ("ImageJ=1.54f\nimages=3\nchannels=3\n", r"3 channels"),
        ('<?xml version="1.0"?><OME><Pixels SizeC="2" SizeT="2" SizeX="96"/></OME>', r"2 channels"),
    ],
)
def test_a_stack_whose_pages_are_not_its_frames_is_refused(tmp_path: Path, description: str, expected: str) -> None:
    path = stack_of(tmp_path / "stack.tif", [scene(number) for number in range(3)], description=description)
    with pytest.raises(HerdbookError, match=expected):
        scan_movie(path)


def test_a_stack_of_imagej_with_as_many_pages_as_images_is_read(tmp_path: Path) -> None:
    path = stack_of(tmp_path / "stack.tif", [scene(number) for number in range(3)], description="ImageJ=1.54f\nimages=3\nslices=3\n")
    assert scan_movie(path).n_frames == 3


def test_a_stack_that_is_cut_is_refused_or_keeps_only_right_pages(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    pages = [rng.integers(0, 256, (HEIGHT, WIDTH), dtype=np.uint8) for _ in range(N)]
    data = stack_of(tmp_path / "whole.tif", pages).read_bytes()
    path = tmp_path / "cut.tif"
    lengths = []
    for cut in rng.integers(1, len(data), 40).tolist():
        path.write_bytes(data[:cut])
        with pytest.raises(HerdbookError, match=r"cut\.tif"):
            scan_movie(path)
        try:
            scan = scan_movie(path, on_broken="keep")
        except HerdbookError:
            continue
        for frame in read_frames(path, scan):
            np.testing.assert_array_equal(frame.luma, pages[frame.index])
        lengths.append(scan.n_frames)
    assert max(lengths) > N // 2


def test_values_of_32_bits_are_refused(tmp_path: Path) -> None:
    path = stack_of(tmp_path / "stack.tif", [np.full((HEIGHT, WIDTH), 0.5, np.float32)] * 2)
    with pytest.raises(HerdbookError, match="values of 32 bits"):
        scan_movie(path)


def test_a_stack_in_a_folder_of_images_is_refused(tmp_path: Path) -> None:
    for number in range(2):
        stack_of(tmp_path / f"part{number}.tif", [scene(k) for k in range(3)])
    with pytest.raises(HerdbookError, match=r"part0\.tif has 3 pages.*the stack itself"):
        scan_movie(tmp_path)


def test_images_in_colours_of_16_bits_are_read_from_a_folder_but_not_their_stacks(tmp_path: Path) -> None:
    images = [scene(number).astype(np.uint16) * 257 for number in range(3)]
    for number, image in enumerate(images):
        cv2.imwrite(str(tmp_path / f"{number}.tif"), image)
    assert [np.abs(f.bgr().astype(int) - scene(f.index)).max() <= 1 for f in read_frames(tmp_path, scan_movie(tmp_path))] == [True] * 3
    cv2.imwritemulti(str(tmp_path / "stack.tif"), images)
    with pytest.raises(HerdbookError, match=r"stack\.tif has 3 pages"):
        scan_movie(tmp_path)
    with pytest.raises(HerdbookError, match=r"stack\.tif: page 0 has values of 16 bits \(RGB\).*colours of 8 bits"):
        scan_movie(tmp_path / "stack.tif")


def test_images_of_two_kinds_in_a_folder_are_refused_and_hidden_ones_left_out(tmp_path: Path) -> None:
    for number in range(3):
        Image.fromarray(scene(number)).save(tmp_path / f"{number}.jpg")
        (tmp_path / f"._{number}.jpg").write_bytes(b"of macOS")
    assert scan_movie(tmp_path).n_frames == 3
    Image.fromarray(scene(0)).save(tmp_path / "0.png")
    with pytest.raises(HerdbookError, match=r"several kinds \(1 png, 3 mjpeg\)|several kinds \(3 mjpeg, 1 png\)"):
        scan_movie(tmp_path)


@pytest.mark.parametrize("name", ["stack.lsm", "stack.btf", "stack"])
def test_a_stack_is_known_by_its_content(tmp_path: Path, name: str) -> None:
    stack_of(tmp_path / "stack.tif", [scene(number) for number in range(3)], big_tiff=name == "stack.btf").rename(tmp_path / name)
    scan = scan_movie(tmp_path / name)
    assert [int(frame.bgr()[10, 10 + 4 * frame.index, 0]) for frame in read_frames(tmp_path / name, scan)] == [240] * 3


def test_a_stack_of_metamorph_is_refused(tmp_path: Path) -> None:
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[33629] = (60,)
    tags.tagtype[33629] = 4
    path = stack_of(tmp_path / "stack.tif", [scene(0)], tiffinfo=tags).rename(tmp_path / "stack.stk")
    with pytest.raises(HerdbookError, match=r"stack\.stk is a stack of MetaMorph"):
        scan_movie(path)


def test_grey_levels_of_16_bits_are_read_in_both_orders_of_bytes(tmp_path: Path) -> None:
    grey = cv2.cvtColor(scene(1), cv2.COLOR_RGB2GRAY).astype(np.uint16) << 4
    for name, order in (("little.tif", "<u2"), ("big.tif", ">u2")):
        Image.frombytes("I;16" if order == "<u2" else "I;16B", (WIDTH, HEIGHT), grey.astype(order).tobytes()).save(tmp_path / name)
        (frame,) = read_frames(tmp_path / name, scan_movie(tmp_path / name))
        np.testing.assert_array_equal(frame.luma, grey >> 4)


def test_a_small_copy_of_a_page_is_no_frame(tmp_path: Path) -> None:
    reduced = Image.fromarray(scene(0)[::4, ::4])
    reduced.encoderinfo = {"tiffinfo": {254: 1}}
    Image.fromarray(scene(0)).save(tmp_path / "stack.tif", save_all=True, append_images=[reduced, Image.fromarray(scene(1))])
    scan = scan_movie(tmp_path / "stack.tif")
    assert scan.pts.tolist() == [0, 2]
    for frame in read_frames(tmp_path / "stack.tif", scan):
        np.testing.assert_array_equal(frame.bgr(), scene(frame.index)[:, :, ::-1])


def sixteen_bits(kind: str, folder: Path, images: list[np.ndarray]) -> Path:
    """uint16 images (h, w) as a folder, a stack or a movie."""
    if kind == "stack":
        return stack_of(folder / "stack.tif", images)
    if kind == "ffv1":
        with av.open(str(folder / "m.mkv"), "w") as container:
            stream = container.add_stream("ffv1", rate=25)
            stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "gray16le"
            for image in images:
                container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="gray16le")))
            container.mux(stream.encode(None))
        return folder / "m.mkv"
    for number, image in enumerate(images):
        pixels = np.repeat(image[:, :, None], 3, axis=2) if kind == "colour" else image
        cv2.imwrite(str(folder / f"{number}.{'tif' if kind == 'tif' else 'png'}"), pixels)
    return folder


@pytest.mark.parametrize("kind", ["png", "tif", "colour", "stack", "ffv1"])
@pytest.mark.parametrize("bits", [10, 12, 14, 16])
def test_bits_that_a_camera_uses_of_16_are_found(tmp_path: Path, kind: str, bits: int) -> None:
    greys = [cv2.cvtColor(scene(number), cv2.COLOR_RGB2GRAY) for number in range(N)]
    path = sixteen_bits(kind, tmp_path, [grey.astype(np.uint16) << (bits - 8) for grey in greys])
    scan = scan_movie(path, fps=25)
    assert scan.bits == bits
    assert len(scan.notes) == (bits < 16)
    for frame in read_frames(path, scan):
        assert np.abs(frame.luma.astype(int) - greys[frame.index]).max() <= 1
        assert np.abs(frame.grey().astype(int) - greys[frame.index]).max() <= 1
    assert scan_movie(path, fps=25, bits=16).bits == 16


def test_an_image_with_more_bits_than_the_others_is_refused_by_name(tmp_path: Path) -> None:
    images = [np.full((HEIGHT, WIDTH), 900, np.uint16) for _ in range(100)]
    images[43][0, 0] = 5000
    path = sixteen_bits("png", tmp_path, images)
    scan = scan_movie(path)
    assert scan.bits == 10
    with pytest.raises(HerdbookError, match=r"43\.png: it has a value of 5000.*movies\[\]\.bits"):
        list(read_frames(path, scan))
    assert [int(frame.luma[0, 0]) for frame in read_frame_samples(path, scan_movie(path, bits=14), [42, 43])] == [900 >> 6, 5000 >> 6]
