"""Arenas drawn by mouse and by keys, up to what stands in the experiment file."""

import cv2
import numpy as np
import pytest
import yaml

from herdbook.movie.writing import MovieWriter
from tests.support.numbered import write_experiment


@pytest.fixture
def screen(open_page):
    made = open_page(arenas=[])
    made.ready()
    made.page.locator("#tab-arenas").click()
    return made


def near(found, expected, px=2.0):
    assert len(found) == len(expected)
    for (x, y), (ex, ey) in zip(found, expected, strict=True):
        assert abs(x - ex) <= px
        assert abs(y - ey) <= px


def test_a_polygon_by_mouse(screen):
    corners = [(20, 30), (150, 28), (160, 100), (30, 110)]
    screen.press("p")
    for corner in corners:
        screen.click(*corner)
    screen.press("Enter")
    (arena,) = screen.save()["arenas"]
    near(arena["include"][0]["polygon"], corners)


def test_an_ellipse_by_three_clicks_is_dragged_and_turned(screen):
    screen.press("e")
    for point in ((40, 70), (140, 70), (90, 95)):
        screen.click(*point)
    screen.wait("d.draft === '1'")
    screen.drag((90, 70), (96, 66))
    screen.press(".", ".")
    (arena,) = screen.save()["arenas"]
    ellipse = arena["include"][0]["ellipse"]
    near([ellipse["centre"], ellipse["axes"]], [(96, 66), (50, 25)])
    assert ellipse["angle"] == pytest.approx(4, abs=0.5)


def test_an_arena_by_keys_alone(screen):
    screen.page.locator("#view").focus()
    screen.press(
        "r", *["Shift+ArrowLeft"] * 5, *["Shift+ArrowUp"] * 3, "Space", *["Shift+ArrowRight"] * 9, *["Shift+ArrowDown"] * 6, "Space"
    )
    (arena,) = screen.save()["arenas"]
    near(arena["include"][0]["polygon"], [(46, 30), (136, 30), (136, 90), (46, 90)], 0)


def test_a_grid_of_wells_with_names_and_numbers(screen):
    screen.page.locator("summary", has_text="Grid of wells").click()
    screen.page.locator("[data-grid=rows]").fill("2")
    screen.page.locator("[data-grid=columns]").fill("3")
    screen.page.locator("[data-tool=grid]").click()
    for point in ((30, 40), (160, 40), (160, 95), (30, 95)):
        screen.click(*point)
    # The number of all animals follows that of the wells.
    screen.wait("d.draft === '2'")
    saved = screen.save()
    assert saved["animals"]["number"] == 6
    arenas = saved["arenas"]
    assert [arena["name"] for arena in arenas] == ["A1", "A2", "A3", "B1", "B2", "B3"]
    assert {arena["number"] for arena in arenas} == {1}
    near([arena["include"][0]["ellipse"]["centre"] for arena in arenas[:3]], [(30, 40), (95, 40), (160, 40)])


def test_a_cut_a_copy_and_a_name(screen):
    screen.press("r")
    screen.click(10, 20)
    screen.click(80, 110)
    screen.wait("d.draft === '1'")
    screen.page.locator("input[value=cut]").check()
    screen.press("r")
    screen.click(30, 40)
    screen.click(50, 60)
    screen.page.locator("#view").focus()
    screen.press("c")
    names = screen.page.locator("[data-list=arenas] input[type=text]")
    names.nth(1).fill("right")
    names.nth(1).press("Enter")
    for row in (0, 1):
        field = screen.page.locator("[data-list=arenas] input[type=number]").nth(row)
        field.fill("1")
        field.press("Enter")
    left, right = screen.save()["arenas"]
    assert right["name"] == "right"
    assert len(left["exclude"]) == len(right["exclude"]) == 1
    near(left["exclude"][0]["polygon"], [(30, 40), (50, 40), (50, 60), (30, 60)])


def test_arenas_that_overlap_are_told_and_hatched(screen):
    for corners in (((10, 20), (100, 110)), ((80, 20), (180, 110))):
        screen.press("r")
        for corner in corners:
            screen.click(*corner)
    for row in (0, 1):
        field = screen.page.locator("[data-list=arenas] input[type=number]").nth(row)
        field.fill("1")
        field.press("Enter")
    screen.page.locator(".faults li", has_text="overlap").wait_for()
    hatched = """([x, y]) => { const v = window.herdbook.view, [px, py] = v.to(x, y);
      const d = v.drawn.getContext("2d").getImageData(px - 10, py - 10, 20, 20).data;
      let n = 0;
      for (let k = 0; k < d.length; k += 4) if (d[k] > 180 && d[k + 1] < 130 && d[k + 2] < 60 && d[k + 3] > 200) n++; return n; }"""
    assert screen.page.evaluate(hatched, [90, 65]) > 20
    assert screen.page.evaluate(hatched, [40, 65]) == 0


def test_who_lives_in_which_arena_is_typed_in_place(open_page, tmp_path):
    halves = {"left": [[0, 14], [95, 14], [95, 119], [0, 119]], "right": [[97, 14], [191, 14], [191, 119], [97, 119]]}
    arenas = [{"name": name, "include": [{"polygon": corners}]} for name, corners in halves.items()]
    arenas[0]["identities"], arenas[1]["identities"] = ["B", "G"], ["O"]
    file = write_experiment(tmp_path, arenas=arenas)
    values = yaml.safe_load(file.read_text()) | {"animals": {"marking": "marked", "identities": ["B", "G", "O"], "labels": "labels.csv"}}
    file.write_text(yaml.safe_dump(values))
    screen = open_page(file=file)
    screen.ready()
    screen.page.locator("#tab-arenas").click()
    fields = screen.page.locator("[data-names]")
    assert [fields.nth(k).input_value() for k in (0, 1)] == ["B, G", "O"]
    fields.nth(0).fill("B")
    fields.nth(0).press("Enter")
    screen.wait("d.draft === '1'")
    fields.nth(1).fill("G; O")
    fields.nth(1).press("Enter")
    screen.page.wait_for_timeout(500)
    assert [arena["identities"] for arena in screen.save()["arenas"]] == [["B"], ["G", "O"]]


def test_a_deleted_arena_leaves_the_whole_frame(open_page):
    screen = open_page()
    screen.ready()
    screen.page.locator("#tab-arenas").click()
    screen.page.get_by_role("button", name="delete dish").click()
    screen.wait("d.draft === '1'")
    assert not screen.save().get("arenas")


def test_wells_of_a_plate_are_found_and_taken_by_a_key(open_page, tmp_path):
    movie = tmp_path / "plate.mkv"
    middles = [(70 + 90 * column, 80 + 90 * row) for row in range(2) for column in range(3)]
    with MovieWriter(movie, 320, 240, 20.0, codec="ffv1", pixel_format="gray") as writer:
        for frame in range(30):
            image = np.full((240, 320), 60, np.uint8)
            for x, y in middles:
                cv2.circle(image, (x, y), 38, 190, -1)
                cv2.circle(image, (x - 20 + frame, y), 5, 40, -1)
            writer.write(image)
    file = tmp_path / "experiment.yaml"
    animals = {"marking": "none", "number": 1}
    values = {"experiment": "plate", "movies": [{"name": "m", "file": movie.name}], "animals": animals, "segment": {"area": [20, 400]}}
    file.write_text(yaml.safe_dump(values), encoding="utf-8")
    screen = open_page(file=file)
    screen.ready()
    screen.press("q")
    screen.wait("d.dishes === '6'")
    screen.press("Enter")
    screen.wait("d.draft === '2'")
    saved = screen.save()
    assert saved["animals"]["number"] == 6
    assert [(arena["name"], arena["number"]) for arena in saved["arenas"]] == [(f"{r}{c}", 1) for r in "AB" for c in (1, 2, 3)]
    near([arena["include"][0]["ellipse"]["centre"] for arena in saved["arenas"]], middles)
    # The whole is one step.
    screen.press("Control+z", "Control+z")
    screen.wait("d.draft === '2'")
    assert not screen.save().get("arenas")
