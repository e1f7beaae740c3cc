"""Numbers of animals compared with an enumeration of all numbers and flows, and on graphs with known truth."""

from itertools import product

import numpy as np
import pytest

from herdbook.tracklets.count_flow import SURE_COUNT_NATS
from herdbook.tracklets.counting import (
    APPEAR_AT_BORDER_COST,
    APPEAR_COST,
    AWAY_COST_PER_FRAME,
    SPECK_SPREAD,
    WHOLE_FRAMES,
    SizeModel,
    area_of_one,
    count_animals,
    count_costs,
    count_in_arenas,
    learn_sizes,
)

END = 99
WHOLE = np.array([[0, END + 1]])
DEFAULT = SizeModel()


def count(ratio, spans, edges=(), *, number=None, border=None):
    first, last = np.array(spans, np.int64).reshape(-1, 2).T
    border = np.zeros((len(ratio), 2), bool) if border is None else np.array(border)
    edges = np.array(edges, np.int64).reshape(-1, 2)
    return count_animals(np.array(ratio, float), first, last, edges, border, number=number, intervals=WHOLE, sizes=DEFAULT)


def random_graph(rng):
    """Four tracklets in order of time with up to three edges between those that do not overlap."""
    first = np.sort(rng.choice([0, 0, 20, 40, 60], 4))
    last = np.minimum(first + rng.integers(5, 35, 4), END)
    last[rng.random(4) < 0.1] = END
    edges = [(a, b) for a in range(4) for b in range(4) if last[a] < first[b]]
    edges = np.array(edges, np.int64).reshape(-1, 2)[rng.permutation(len(edges))[:3]]
    return rng.uniform(0, 2.6, 4), first, last, edges, rng.random((4, 2)) < 0.4


def enumerated_costs(ratio, first, last, edges, border, number, most):
    """The least cost of each possible choice of numbers, by trying all numbers and all flows along the edges."""
    area_costs = count_costs(ratio, last - first + 1, most, DEFAULT)
    enter = np.where(first == 0, 0.0, np.where(border[:, 0], APPEAR_AT_BORDER_COST, APPEAR_COST))
    leave = np.where(last == END, 0.0, np.where(border[:, 1], APPEAR_AT_BORDER_COST, APPEAR_COST))
    flows = np.array(list(product(range(most + 1), repeat=len(edges))), int).reshape((most + 1) ** len(edges), len(edges))
    into, out = np.zeros((len(flows), len(ratio)), int), np.zeros((len(flows), len(ratio)), int)
    for e, (parent, child) in enumerate(edges):
        out[:, parent] += flows[:, e]
        into[:, child] += flows[:, e]
    frames = np.arange(END + 1)
    appears, vanishes = (first[:, None] <= frames).astype(int), (last[:, None] < frames).astype(int)
    best = {}
    for numbers in product(range(most + 1), repeat=len(ratio)):
        new, gone = numbers - into, numbers - out
        possible = (new >= 0).all(axis=1) & (gone >= 0).all(axis=1)
        cost = new @ enter + gone @ leave
        if number is not None:
            away = number - new @ appears + gone @ vanishes
            possible &= (away >= 0).all(axis=1)
            cost = cost + away.sum(axis=1) * AWAY_COST_PER_FRAME
        if possible.any():
            best[numbers] = cost[possible].min() + area_costs[np.arange(len(ratio)), numbers].sum()
    return best


@pytest.mark.parametrize("number", [None, 1, 2, 3])
def test_numbers_have_the_lowest_cost(rng, number):
    nontrivial = 0
    for _ in range(25):
        ratio, first, last, edges, border = random_graph(rng)
        most = number if number is not None else max(2, int(np.ceil(ratio.max())) + 1)
        animals, _ = count_animals(ratio, first, last, edges, border, number=number, intervals=WHOLE, sizes=DEFAULT)
        costs = enumerated_costs(ratio, first, last, edges, border, number, most)
        assert costs[tuple(animals.tolist())] <= min(costs.values()) + 0.02  # costs are rounded to a thousandth
        nontrivial += not np.array_equal(animals, np.clip(ratio.round(), 0, most))
    assert nontrivial > 3  # the graph has its say


@pytest.mark.parametrize("number", [None, 2, 5])
def test_animals_in_view_from_the_first_frame_on_are_counted_by_their_area(number):
    assert count([1.1, 0.9], [(0, 99), (0, 99)], number=number)[0].tolist() == [1, 1]


@pytest.mark.parametrize("number", [None, 2])
@pytest.mark.parametrize("ratio", [1.2, 1.4, 2.0])
def test_a_merge_of_two_holds_two_whatever_its_area(number, ratio):
    spans = [(0, 40), (0, 40), (41, 60), (61, 99), (61, 99)]
    animals, margin = count([1, 1, ratio, 1, 1], spans, [(0, 2), (1, 2), (2, 3), (2, 4)], number=number)
    assert animals.tolist() == [1, 1, 2, 1, 1]
    assert (margin[2] < 0) == (ratio < (1 + 2**DEFAULT.growth) / 2)  # area alone would have said one


def test_a_sure_number_gives_way_where_it_costs_too_much_on_both_sides():
    """Two animals each before and after a tracklet whose area says one: a loss before it and another after it outweigh its area."""
    spans = [(0, 40), (0, 40), (41, 60), (61, 99), (61, 99)]
    first, last = np.array(spans, np.int64).T
    edges = np.array([(0, 2), (1, 2), (2, 3), (2, 4)])

    def numbers(spread):
        sizes = SizeModel(0.9, spread)
        cost = count_costs(np.ones(1), np.array([20]), 3, sizes)[0]
        animals, _ = count_animals(np.ones(5), first, last, edges, np.zeros((5, 2), bool), number=None, intervals=WHOLE, sizes=sizes)
        return cost[2] - cost[1], animals.tolist()

    # Either loss alone is less than the area weighs, and more than half of that.
    weight, animals = numbers(0.0826)
    assert APPEAR_COST < weight < 2 * APPEAR_COST
    assert animals == [1, 1, 2, 1, 1]
    # A number that is not sure gives way at once.
    weight, animals = numbers(0.095)
    assert APPEAR_COST < weight < SURE_COUNT_NATS
    assert animals == [1, 1, 2, 1, 1]
    weight, animals = numbers(0.078)
    assert weight > 2 * APPEAR_COST
    assert animals == [1, 1, 1, 1, 1]


def test_a_speck_that_splits_off_holds_no_animal():
    animals, _ = count([1, 1, 0.1], [(0, 40), (41, 99), (41, 60)], [(0, 1), (0, 2)])
    assert animals.tolist() == [1, 1, 0]


def test_a_dim_animal_may_appear_only_at_the_border():
    spans, dim = [(30, 60)], [0.8]
    short = count_costs(np.array(dim), np.array([31]), 2, DEFAULT)[0]
    assert APPEAR_AT_BORDER_COST * 2 < short[0] - short[1] < APPEAR_COST * 2
    assert count(dim, spans)[0].tolist() == [0]
    assert count(dim, spans, border=[(True, True)])[0].tolist() == [1]
    assert count(dim, spans, border=[(False, True)])[0].tolist() == [1]


def test_no_more_animals_are_in_view_at_once_than_there_are():
    spans = [(0, 99), (0, 99), (20, 99)]
    assert count([1, 1, 0.9], spans, number=3)[0].tolist() == [1, 1, 1]
    assert count([1, 1, 0.9], spans, number=2)[0].tolist() == [1, 1, 0]


@pytest.mark.parametrize(("begin", "total"), [(40, 1), (41, 2)])
def test_an_animal_is_in_one_place_at_a_time(begin, total):
    animals, _ = count([1, 1], [(0, 40), (begin, 99)], number=1)
    assert animals.sum() == total


def test_no_animal_is_out_of_view_without_evidence():
    assert count([0.499], [(0, 99)])[0].tolist() == [0]
    assert count([0.499], [(0, 99)], number=1)[0].tolist() == [1]


def test_an_animal_out_of_view_may_come_back():
    assert count([1, 1, 1], [(0, 99), (0, 40), (50, 99)], number=2)[0].tolist() == [1, 1, 1]


@pytest.mark.parametrize("begin", [28, 20])
def test_who_has_left_before_may_come_back_where_it_is_crowded(begin):
    """Of three animals one leaves after frame 27; four tracklets are in view at once, of which the one that fits worst is no animal."""
    spans = [(0, 27), (begin, 99), (28, 50), (30, 50), (30, 52)]
    animals, _ = count([1, 1, 1, 1, 0.8], spans, number=3, border=[(True, True)] * 5)
    assert animals.tolist() == [1, 1, 1, 1, 0]


def test_the_margin_is_the_cost_of_the_next_best_number():
    animals, margin = count([1.2], [(0, 99)], number=3)
    costs = count_costs(np.array([1.2]), np.array([100]), 3, DEFAULT)[0]
    assert animals.tolist() == [1]
    assert margin[0] == pytest.approx(min(costs[0], costs[2]) - costs[1])
    for ratio in (1.75, 2.0):
        animals, margin = count([ratio], [(0, 99)])
        costs = count_costs(np.array([ratio]), np.array([100]), 4, DEFAULT)[0]
        assert animals.tolist() == [2]
        assert margin[0] == pytest.approx(min(costs[1], costs[3]) - costs[2])
    assert count([1.0], [(0, 99)], number=1)[1][0] == pytest.approx(count_costs(np.array([1.0]), np.array([100]), 1, DEFAULT)[0, 0])


def test_a_cost_is_half_the_squared_deviation_and_does_not_grow_with_length():
    sizes = SizeModel(growth=1.0, spread=0.1)
    short, long = count_costs(np.array([2.2, 2.2]), np.array([WHOLE_FRAMES, 10_000]), 3, sizes)
    assert long[1:] == pytest.approx((np.array([1.2, 0.2, -0.8]) / (0.1 * 2.2)) ** 2 / 2)
    assert short[1:] == pytest.approx(long[1:])
    assert count_costs(np.array([2.2]), np.array([WHOLE_FRAMES // 2]), 3, sizes)[0, 1:] == pytest.approx(long[1:] / 2)


def test_no_animal_and_a_small_one_are_separated_in_the_middle_and_better_with_length():
    for frames, weight in ((1, 1), (9, 3), (10_000, 5)):
        costs = count_costs(np.array([0.3, 0.5]), np.full(2, frames), 2, DEFAULT)
        assert costs[0, 1] - costs[0, 0] == pytest.approx(weight * ((0.7 / SPECK_SPREAD) ** 2 - (0.3 / SPECK_SPREAD) ** 2) / 2)
        assert costs[1, 0] == pytest.approx(costs[1, 1])


def test_costs_are_convex_in_the_number(rng):
    for _ in range(50):
        sizes = SizeModel(rng.uniform(0.6, 1), rng.uniform(0.08, 0.4))
        costs = count_costs(rng.uniform(0, 9, 20), rng.integers(1, 50, 20), int(rng.integers(2, 9)), sizes)
        assert (np.diff(costs, 2, axis=1) >= -1e-9).all()


def test_growth_and_spread_are_learned_in_spite_of_wrong_guesses(rng):
    truth = rng.integers(1, 5, 400)
    ratio = truth**0.85 * rng.normal(1, 0.12, 400)
    guess = np.where(rng.random(400) < 0.1, np.maximum(1, truth - 1), truth)
    sizes = learn_sizes(ratio, guess)
    assert sizes.growth == pytest.approx(0.85, abs=0.04)
    assert sizes.spread == pytest.approx(0.12, abs=0.03)
    assert learn_sizes(ratio[:15], guess[:15]) == SizeModel()


def test_two_that_overlap_at_the_start_of_a_recording_are_two_where_merges_are_alike(rng):
    """In merges that split again two animals cover 1.5 areas; so does the first tracklet, a merge that began before the recording."""
    ratio, spans, edges = [1.42], [(0, 99)], []
    for k in range(40):
        n = len(ratio)
        ratio += [1.0, 1.0, 1.5 + 0.02 * (k % 5 - 2), 1.0, 1.0]
        spans += [(0, 40), (0, 40), (41, 60), (61, 99), (61, 99)]
        edges += [(n, n + 2), (n + 1, n + 2), (n + 2, n + 3), (n + 2, n + 4)]
    first, last = np.array(spans, np.int64).T
    n = len(ratio)
    arguments = (np.array(ratio), first, last, np.array(edges), np.zeros((n, 2), bool))
    animals, _ = count_in_arenas(*arguments, np.zeros(n, np.int16), numbers=[None], intervals=WHOLE)
    assert animals[0] == 2
    assert count_animals(*arguments, number=None, intervals=WHOLE, sizes=DEFAULT)[0][0] == 1


def test_no_tracklets_have_no_numbers():
    animals, margin = count([], [])
    assert animals.shape == margin.shape == (0,)


def frames_of(areas_by_frame):
    frame = np.repeat(np.arange(len(areas_by_frame)), [len(a) for a in areas_by_frame]).astype(np.int32)
    return frame, np.array([a for areas in areas_by_frame for a in areas], np.int32)


def test_area_of_one_is_that_of_frames_in_which_all_are_separate():
    frames = [[100, 110]] * 25 + [[230]] * 60 + [[100, 110, 4]] * 30
    assert area_of_one(*frames_of(frames), 2) == 105


@pytest.mark.parametrize(("frames", "area"), [(19, 115), (20, 105)])
def test_area_of_one_needs_twenty_frames_in_which_all_are_separate(frames, area):
    assert area_of_one(*frames_of([[100, 110]] * frames + [[230]] * 60), 2) == area


def test_area_of_one_is_a_share_of_the_total_if_they_are_rarely_separate():
    assert area_of_one(*frames_of([[100, 110]] * 5 + [[230]] * 60), 2) == 115


def test_area_of_one_without_a_number_is_the_median_blob():
    assert area_of_one(*frames_of([[100, 110, 120]] * 9 + [[300]]), None) == pytest.approx(110)
    assert area_of_one(*frames_of([[90, 100, 110]]), 1) == 100  # always more blobs than animals
    assert area_of_one(*frames_of([]), 3) == 1
