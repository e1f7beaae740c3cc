"""Animals that rest in the background are found where they are."""

from pathlib import Path

import pytest

from herdbook.app.live import Live
from herdbook.app.proposing.comparing import segmenter_of
from herdbook.app.proposing.resting import Resting, find_resting
from herdbook.app.samples import Samples
from tests.support.littered import write_littered

PLACE = (160, 70)


def resting_in(folder: Path, until: int, **segment: object) -> list[Resting]:
    """What rests in a movie of 60 frames, in which a third animal rests up to a frame."""
    live = Live(write_littered(folder, 60, {"difference": 30, "area": [20, 100]} | segment, resting=PLACE, until=until))
    movie = live.movie("m")
    inside = segmenter_of(movie).arena >= 0
    background = movie.maker.scene.background
    assert background is not None
    samples = Samples(movie)
    samples.read(60)
    found = find_resting(background.luma[0], [frame.luma for frame in samples.frames], inside, movie.settings, 49.0)
    samples.close()
    live.close()
    return found


@pytest.mark.parametrize(("until", "share"), [(42, 0.7), (60, 1.0)])
def test_an_animal_that_rests_is_found_with_the_share_of_frames(tmp_path: Path, here: None, until: int, share: float) -> None:
    (one,) = resting_in(tmp_path, until)
    assert (round(one.x), round(one.y), one.area) == (*PLACE, 49)
    assert one.share == pytest.approx(share, abs=0.02)


def test_animals_that_move_and_other_sizes_are_not_marked(tmp_path: Path, here: None) -> None:
    assert resting_in(tmp_path, 0) == []
    assert resting_in(tmp_path, 60, area=[60, 100]) == []
    assert resting_in(tmp_path, 60, polarity="bright") == []
    assert resting_in(tmp_path, 60, method="intensity", intensity=[0, 100]) == []
