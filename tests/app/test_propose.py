"""Values from clicks, from a measurement and from the picture, up to what stands in the experiment file."""

import pytest

from tests.support.littered import FAINT, LARGE, SMALL, animals_at, place_of, write_littered


@pytest.fixture
def littered(open_page, tmp_path):
    """The page of a movie with dirt of every kind, and maybe an animal that rests."""

    def start(**options):
        screen = open_page(file=write_littered(tmp_path, 60, **options))
        screen.ready()
        return screen

    return start


def test_clicked_animals_are_kept_and_clicked_dirt_is_dropped(littered):
    screen = littered()
    assert screen.data("kept") == "5"
    screen.press("1")
    for animal in animals_at(0):
        screen.click(*animal)
    screen.wait("d.taught === '2'")
    screen.press("0")
    for count, thing in enumerate((FAINT, SMALL, LARGE), 3):
        screen.click(*place_of(thing, 0))
        screen.wait("d.taught === arg", str(count))
    screen.page.locator("[data-proposed='segment.difference'] .then").wait_for()
    assert screen.data("proposed") == "segment.difference,segment.area"
    screen.press("Enter")
    screen.wait("d.kept === '2' && d.draft === '2'")
    segment = screen.save()["segment"]
    assert 30 < segment["difference"] < 120
    assert 9 < segment["area"][0] <= 49 <= segment["area"][1] < 315
    assert screen.file.read_text().startswith("# a comment that stays\n")


def test_one_step_of_undo_takes_a_proposal_back(littered):
    screen = littered()
    screen.press("0")
    screen.click(*place_of(LARGE, 0))
    screen.wait("d.proposed === 'segment.area'")
    screen.press("Enter", "Escape")
    screen.wait("d.kept === '4' && d.draft === '1'")
    screen.press("Control+z")
    screen.wait("d.kept === '5' && d.draft === '0'")
    assert screen.values()["segment"]["area"] == [5, 2000]


def test_an_animal_is_clicked_by_keys_alone(littered):
    screen = littered(segment={"difference": 15, "area": [60, 2000]})
    x, y = (round(value) for value in animals_at(0)[0])
    screen.page.locator("#view").focus()
    screen.press("1")
    # The cross begins in the middle of the frame.
    dx, dy = x - 96, y - 60
    assert (dx, dy) < (0, 0)
    screen.press(*["Shift+ArrowLeft"] * (-dx // 10), *["ArrowLeft"] * (-dx % 10))
    screen.press(*["Shift+ArrowUp"] * (-dy // 10), *["ArrowUp"] * (-dy % 10), "Space")
    screen.wait("d.proposed === 'segment.area'")
    screen.press("Enter")
    smallest, largest = screen.save()["segment"]["area"]
    assert smallest <= 49
    assert largest == 2000


def test_a_click_taken_back_and_no_proposal_leave_the_file_alone(littered):
    screen = littered()
    before = screen.file.read_bytes()
    screen.press("0")
    screen.click(*place_of(LARGE, 0))
    screen.wait("d.proposed === 'segment.area'")
    screen.click(*place_of(LARGE, 0))
    screen.wait("d.proposed === undefined")
    screen.click(*place_of(LARGE, 0))
    screen.wait("d.proposed === 'segment.area'")
    screen.press("Escape", "Escape")
    screen.wait("d.proposed === undefined")
    assert screen.data("draft") == "0"
    assert screen.file.read_bytes() == before


def test_a_measured_proposal_is_accepted_by_one_key(open_page):
    screen = open_page(segment={"difference": 3, "area": [1, 9000]})
    screen.ready()
    screen.press("t")
    screen.page.locator(".plateau canvas").wait_for(timeout=90000)
    screen.press("Enter")
    screen.wait("Number(d.draft) > 0 && d.kept === '2'")
    segment = screen.save()["segment"]
    assert 5 <= segment["difference"] <= 110
    assert segment["area"][0] <= 49 <= segment["area"][1]


def test_a_measurement_is_stopped_by_its_key(littered):
    screen = littered()
    screen.press("t")
    screen.page.get_by_role("button", name="Stop").wait_for()
    screen.press("t")
    screen.page.get_by_role("button", name="Propose from the whole movie").wait_for()
    assert screen.data("draft") == "0"


def test_the_scale_by_two_points(littered):
    screen = littered()
    screen.press("m")
    screen.click(20, 40)
    screen.click(120, 40)
    screen.page.keyboard.type("25")
    screen.press("Enter")
    screen.page.get_by_text("4 px are 1 mm", exact=False).wait_for()
    scale = screen.save()["scale"]
    assert scale["length"] == 25
    for (x, y), (ex, ey) in zip(scale["points"], [(20, 40), (120, 40)], strict=True):
        assert abs(x - ex) < 1
        assert abs(y - ey) < 1


def test_the_scale_by_a_circle_is_removed_again(littered):
    screen = littered()
    screen.page.locator("#scale-size").fill("20")
    screen.page.locator("[data-scale=circle]").click()
    for point in ((46, 70), (96, 20), (146, 70)):
        screen.click(*point)
    screen.page.get_by_text("5 px are 1 mm", exact=False).wait_for()
    scale = screen.save()["scale"]
    assert scale["diameter"] == 20
    assert len(scale["circle"]) == 3
    screen.page.get_by_role("button", name="Remove", exact=True).click()
    assert "scale" not in screen.save()


def test_an_animal_that_rests_is_marked_and_taken_out(littered):
    screen = littered(segment={"difference": 30, "area": [20, 100]}, resting=(160, 70), until=42)
    screen.wait("d.resting === '1'")
    screen.page.get_by_role("button", name="Take them out of the background").click()
    assert screen.save()["background"]["resting"] is True
    screen.ready()
    screen.wait("d.resting === '0'")
