"""Whether a movie file is complete, by the structure of its container."""

from pathlib import Path


def missing_bytes(path: Path) -> int:
    """Number of bytes missing at the end of a movie file, by its outermost structure; 0 if it is complete or of an unknown format.

    This finds files cut between two frames, which a demuxer reads to the end without an error.
    """
    if not path.is_file():
        return 0
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(377)
        if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):  # ISO: boxes
            end = 0
            while end < size:
                file.seek(end)
                box = file.read(16).ljust(16, b"\0")
                length = int.from_bytes(box[8:] if box[:4] == b"\0\0\0\1" else box[:4])
                if length < 8:  # 0: up to the end of the file
                    return 0
                end += length
            return end - size
        if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
            end = 0
            while end < size and head[:4] == b"RIFF":
                end += 8 + int.from_bytes(head[4:8], "little")
                end += end % 2
                file.seek(end)
                head = file.read(8)
            return max(end - 1 - size, 0)  # the last padding byte may be absent
        if head[:4] == b"\x1aE\xdf\xa3":  # Matroska: a header element, then one segment
            length, end = _ebml_size(head, 4)
            if head[end + length : end + length + 4] != b"\x18S\x80g":
                return 0
            segment, end = _ebml_size(head, end + length + 4)
            # A size of all ones is unknown: the file was written live.
            return 0 if (segment + 1) & segment == 0 else max(end + segment - size, 0)
        if head[:1] == head[188:189] == head[376:377] == b"G":  # transport stream: packets of 188 bytes
            return -size % 188
    return 0


def _ebml_size(data: bytes, at: int) -> tuple[int, int]:
    """Matroska's variable-length size at a position, and the position after it."""
    width = 9 - data[at].bit_length()
    return int.from_bytes(data[at : at + width]) & ((1 << 7 * width) - 1), at + width
