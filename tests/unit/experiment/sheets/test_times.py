"""The times that cameras write are read as they are meant, or refused with their line."""

from pathlib import Path

import numpy as np
import pytest

from herdbook.errors import HerdbookError
from herdbook.experiment.sheets.times import read_times


def times_of(folder: Path, text: str, encoding: str = "utf-8") -> np.ndarray:
    path = folder / "times.csv"
    path.write_text(text, encoding=encoding)
    return read_times(path)


@pytest.mark.parametrize(
    "text",
    [
        "0\n0.04\n0.1\n",
        "0.0\n0.04\n\n0.1",
        "time\n0\n0.04\n0.1\n",
        "Timestamp (ms)\n0\n40\n100\n",
        "time_us\n0\n40000\n100000\n",
        "timestamp [ns]\n0\n40000000\n100000000\n",
        "frame,time\n0,0\n1,0.04\n2,0.1\n",
        "frame;time;gain\n0;0;x\n1;0.04;x\n2;0.1;x\n",
        "frame\ttime_s\r\n0\t0\r\n1\t0.04\r\n2\t0.1\r\n",
        "time\n0\n0,04\n0,1\n",
        "frame;time\n0;0\n1;0,04\n2;0,1\n",
        "sep=;\nframe;time\n0;0\n1;0,04\n2;0,1\n",
        "2026-05-17T14:03:20\n2026-05-17T14:03:20.04\n2026-05-17T14:03:20.1\n",
        "2026-05-17T23:59:59.98+02:00\n2026-05-18T00:00:00.0200000+02:00\n2026-05-17T22:00:00.08Z\n",
        "time\n2026-05-17 14:03:20\n2026-05-17 14:03:20.040\n2026-05-17 14:03:20.100\n",
    ],
)
def test_times_are_read(tmp_path: Path, text: str) -> None:
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        found = times_of(tmp_path, text, encoding)
        assert found.dtype == np.float64
        np.testing.assert_allclose(found - found[0], [0, 0.04, 0.1], atol=1e-7)


def test_seconds_are_kept_as_they_are(tmp_path: Path) -> None:
    np.testing.assert_array_equal(times_of(tmp_path, "1716000000.25\n1716000000.5\n"), [1716000000.25, 1716000000.5])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "is empty"),
        ("time\n", "a header and no times"),
        ("0\n0.04\n0.04\n0.1\n", r"line 3: 0\.04 is not later than 0\.04 in line 2"),
        ("0\n0.04\nx\n", r"line 3: expected a time, found 'x'"),
        ("0\nnan\n", r"line 2: expected a time, found 'nan'"),
        ("0\n2026-05-17T14:03:20\n", "line 2: .* is written in another way than '0' in line 1"),
        ("2026-05-17T14:03:20\n2026-05-17T14:03:21Z\n", "line 2: .* is written in another way"),
        ("frame,time\n0,0\n1\n", r"line 3: expected a time, found ''"),
        ("0,0.04\n1,0.1\n", r"line 1: expected a time and nothing else, or a header"),
        ("0,04\n0,08\n", r"line 1: expected a time and nothing else, or a header"),
        ("frame,time\n0,0,04\n1,0,08\n", r"line 2: has 3 cells, line 1 2\. Between commas, times need decimal points"),
        ("frame;time\n0;1.234\n1;2.345\n", r"line 2: the time can be read in two ways: '1\.234'"),
        ("exposure\n1\n2\n", r"line 1: .*found exposure"),
        ("time,timestamp\n1,1\n2,2\n", r"line 1: .*found time, timestamp"),
    ],
)
def test_what_is_no_time_is_refused_with_its_line(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(HerdbookError, match=r"times\.csv(.|\n)*" + expected):
        times_of(tmp_path, text)


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(HerdbookError, match="there is no such file"):
        read_times(tmp_path / "times.csv")
