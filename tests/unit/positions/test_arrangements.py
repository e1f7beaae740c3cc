"""Who is at which place inside merged blobs, against enumeration of all ways, and where only the whole stay tells."""

from itertools import product

import numpy as np
import pytest

from herdbook.experiment.sheets.corrections import Correction
from herdbook.experiment.sheets.facts import Fact
from herdbook.positions import arrangements
from herdbook.positions.answers import Answer, answers_of, with_answers
from herdbook.positions.arrangements import (
    OTHER_PASS_NATS,
    PRIOR_FRAMES,
    PRIOR_STRAY,
    STEP_FACTOR,
    TURN,
    arrange,
    arrangements_of,
    usual_step,
)
from herdbook.positions.passes import Members, Pass
from herdbook.positions.scene import Scene

STEP_PX = 2.0
# Bodies of 24 x 8 px.
VARIANCES = (36.0, 4.0)


def silent(blob, members, places):
    return None


def make_scene(tracklets, occupants, edges, places):
    """Blobs one by one, each given as (tracklet, frame); `places` of those that hold one animal."""
    tracklet, frame = (np.array(column, np.int64) for column in zip(*tracklets, strict=True))
    x, y, angle = (np.array([places.get(k, (0.0, 0.0, 0.0))[axis] for k in range(len(frame))]) for axis in range(3))
    count = int(tracklet.max()) + 1
    animals = np.array([len(occupants[k]) for k in range(count)], np.int64)
    parents = {k: [a for a, b in edges if b == k] for k in range(count)}
    children = {k: [b for a, b in edges if a == k] for k in range(count)}
    who = {k: [(individual, 1.0) for individual in occupants[k]] for k in range(count)}
    return Scene(frame, x, y, angle, tracklet, animals, who, parents, children, VARIANCES)


def as_pass(places):
    return Pass(np.array(places, float), np.ones(len(places), np.int64), np.ones(len(places), bool))


def members_of(blobs, individuals):
    """All individuals in each of the blobs."""
    return Members(np.repeat(blobs, len(individuals)), np.tile(individuals, len(blobs)))


def one_merge(forward, backward, *, entered=(), left=(), evidence=silent, individuals=(0, 1)):
    """A merge of a few frames: the places of both passes as [frame][member] (x, y, angle); places of those who come in and go out."""
    frames = len(forward)
    rows = [(0, t + 1) for t in range(frames)]
    occupants, edges, places = {0: list(individuals)}, [], {}
    for number, (when, where, ends) in enumerate(
        [(0, place, "in") for place in entered] + [(frames + 1, place, "out") for place in left], 1
    ):
        individual = individuals[(number - 1) % len(individuals)]
        places[len(rows)] = where
        rows.append((number, when))
        occupants[number] = [individual]
        edges.append((number, 0) if ends == "in" else (0, number))
    scene = make_scene(rows, occupants, edges, places)
    members = members_of(np.arange(frames), np.array(individuals))
    passes = [as_pass([place for frame in one for place in frame]) for one in (forward, backward)]
    found = arrange(scene, members, *passes, STEP_PX, evidence)
    return found.place.reshape(frames, len(individuals), 3), found.probability.reshape(frames, len(individuals))


def test_up_to_five_members_all_arrangements_are_weighed():
    assert [len(arrangements_of(k)) for k in range(1, 6)] == [1, 2, 6, 24, 120]


def test_of_many_members_those_within_two_exchanges_are_weighed():
    found = arrangements_of(7)
    assert len(np.unique(found, axis=0)) == len(found)
    assert (np.sort(found, axis=1) == np.arange(7)).all()
    assert (found == np.arange(7)).all(axis=1).sum() == 1
    # Two exchanges leave at least three of seven in their places.
    assert ((found == np.arange(7)).sum(axis=1) >= 3).all()
    for pair in [(0, 6), (2, 3)]:
        exchanged = np.arange(7)
        exchanged[list(pair)] = pair[::-1]
        assert (found == exchanged).all(axis=1).any()


def cost_of(a, b):
    """Nats of a move between two places in one frame."""
    turn = (a[2] - b[2] + np.pi / 2) % np.pi - np.pi / 2
    away = ((a[:2] - b[:2]) ** 2).sum() / (2 * (STEP_FACTOR * STEP_PX) ** 2)
    return min(away, arrangements.MOST_STEP_NATS) + min(turn**2 / (2 * TURN**2), arrangements.MOST_TURN_NATS)


@pytest.mark.parametrize("seed", range(20))
def test_the_best_way_and_its_probability_are_those_of_enumeration(seed):
    rng = np.random.default_rng(seed)
    forward = rng.normal(0, (12, 12, 0.4), (4, 2, 3))
    backward = forward[:, ::-1] + rng.normal(0, (3, 3, 0), (4, 2, 3))
    looks = rng.normal(0, 2, (4, 2, 4))
    start = rng.normal(0, (4, 4, 0), (2, 3)) + forward[0]
    place, probability = one_merge(forward.tolist(), backward.tolist(), entered=start.tolist(), evidence=lambda blob, _, __: looks[blob])
    states = [(0, 1), (1, 0), (2, 3), (3, 2)]
    places = np.concatenate([forward, backward], axis=1)
    ways = np.array(list(product(range(4), repeat=4)))
    score = np.zeros(len(ways))
    for number, way in enumerate(ways):
        for t, state in enumerate(way):
            before = start if not t else places[t - 1][list(states[way[t - 1]])]
            score[number] += sum(looks[t, k, states[state][k]] - cost_of(before[k], places[t][states[state][k]]) for k in range(2))
            score[number] -= OTHER_PASS_NATS * (t > 0 and (state < 2) != (way[t - 1] < 2))
    weight = np.exp(score - score.max())
    weight /= weight.sum()
    for t in range(4):
        share = np.bincount(ways[:, t], weight, 4)
        best = states[int(share.argmax())]
        assert place[t] == pytest.approx(places[t][list(best)])
        for k in range(2):
            near = np.hypot(*(places[t][:, :2] - places[t][best[k], :2]).T) < arrangements.SAME_PLACE * 8
            expected = sum(share[s] for s in range(4) if near[states[s][k]])
            assert probability[t, k] == pytest.approx(expected, abs=1e-9)


def test_a_step_that_no_animal_makes_is_an_exchange_of_labels():
    # Both passes exchange the animals in the middle, where these are 60 px apart: no animal jumps like that.
    here, there = (0.0, 0.0, 0.0), (60.0, 0.0, 0.0)
    frames = [[here, there]] * 3 + [[there, here]] * 3
    place, probability = one_merge(frames, frames, entered=[here, there], left=[here, there])
    assert (place[:, 0] == here).all()
    assert (place[:, 1] == there).all()
    assert probability.min() > 0.99


def test_three_animals_that_go_round_keep_their_names():
    # The forward pass is right until the second frame and the backward one from the fourth; no pass is right for all in the third.
    corners = np.array([(0.0, 0.0, 0.0), (60.0, 0.0, 0.0), (30.0, 50.0, 0.0)])
    orders = [[0, 1, 2], [0, 1, 2], [1, 0, 2], [1, 2, 0], [1, 2, 0]]
    frames = [corners[order].tolist() for order in orders]
    place, _ = one_merge(frames, frames, entered=corners.tolist(), left=corners.tolist(), individuals=(0, 1, 2))
    assert (place == corners).all()


def test_images_decide_between_animals_that_were_too_near_to_follow():
    apart, together = [(0.0, 0.0, 0.0), (40.0, 0.0, 0.0)], [(19.0, 0.0, 0.0), (21.0, 0.0, 0.0)]
    frames = [apart, together, together, apart, apart]

    def evidence(blob, members, places):
        # In the last frame the first animal looks like what is on the right.
        right = places[:, 0] > 30
        return np.stack([8.0 * right, 8.0 * ~right]) if blob == 4 else None

    place, probability = one_merge(frames, frames, entered=apart, evidence=evidence)
    assert place[:, 0, 0].tolist() == [0.0, *place[1:3, 0, 0], 40.0, 40.0]
    assert probability[3:].min() > 0.9
    undecided = one_merge(frames, frames, entered=apart)[1]
    assert undecided[3:].max() < 0.9


def test_where_nothing_tells_the_probability_says_so():
    here, there = (0.0, 0.0, 0.0), (60.0, 0.0, 0.0)
    _, probability = one_merge([[here, there]] * 3, [[here, there]] * 3)
    assert probability == pytest.approx(0.5)


def test_what_is_known_goes_on_through_merges_that_follow_each_other():
    # Tracklet 1 holds animals 0 and 1; then 2 joins them (tracklet 2). Who came into the first one is known, and that names the second.
    here, there, third = (0.0, 0.0, 0.0), (60.0, 0.0, 0.0), (30.0, 50.0, 0.0)
    rows = [(1, 1), (1, 2), (2, 3), (2, 4), (0, 0), (3, 0), (4, 2)]
    occupants = {0: [0], 1: [0, 1], 2: [0, 1, 2], 3: [1], 4: [2]}
    scene = make_scene(rows, occupants, [(0, 1), (3, 1), (1, 2), (4, 2)], {4: here, 5: there, 6: third})
    members = Members(np.array([0, 0, 1, 1, 2, 2, 2, 3, 3, 3]), np.array([0, 1, 0, 1, 0, 1, 2, 0, 1, 2]))
    exchanged = [here, there, here, there, there, here, third, there, here, third]
    found = arrange(scene, members, as_pass(exchanged), as_pass(exchanged), STEP_PX, silent)
    assert found.place[4:].tolist() == [list(place) for place in (here, there, third, here, there, third)]
    assert found.probability.min() > 0.99


def test_many_members_are_followed_within_bounds(rng):
    count = 8
    spots = np.column_stack([rng.permutation(count) * 50.0, np.zeros(count), np.zeros(count)])
    frames = [spots, spots[[1, 0, *range(2, count)]]]
    place, _ = one_merge(
        [f.tolist() for f in frames], [f.tolist() for f in frames], entered=spots.tolist(), individuals=tuple(range(count))
    )
    assert (place == spots).all()


def test_the_usual_step_is_that_of_animals_alone():
    rows = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1)]
    scene = make_scene(rows, {0: [0], 1: [1, 2]}, [], {0: (0.0, 0.0, 0.0), 1: (3.0, 4.0, 0.0), 2: (6.0, 8.0, 0.0), 4: (500.0, 0.0, 0.0)})
    assert usual_step(scene) == pytest.approx((25 / 2) ** 0.5)
    assert usual_step(make_scene([(0, 0)], {0: [0]}, [], {})) == 0.0


def stray_rate(last, left, at_last=None):
    """The chance of an exchange per frame, from a merge of ten frames at whose end both animals are seen at the places `left`.

    `at_last`: their places in the frame before the last one, if they are not those of all frames before.
    """
    frames = 10
    usual = [(10.0, 20.0, 0.0), (60.0, 20.0, 0.0)]
    places = [usual] * (frames - 2) + [at_last or usual, last]
    rows = [(0, t + 1) for t in range(frames)]
    known = {frames + k: place for k, place in enumerate([*places[0], *left])}
    rows += [(1, 0), (2, 0), (3, frames + 1), (4, frames + 1)]
    occupants = {0: [0, 1], 1: [0], 2: [1], 3: [0], 4: [1]}
    scene = make_scene(rows, occupants, [(1, 0), (2, 0), (0, 3), (0, 4)], known)
    members = members_of(np.arange(frames), np.array([0, 1]))
    inside = np.repeat(np.arange(frames) + 1, 2)
    found = Pass(np.array([place for frame in places for place in frame], float), inside, np.ones(2 * frames, bool))
    back = found._replace(inside=inside[::-1].copy())
    return arrange(scene, members, found, back, STEP_PX, silent).stray


def test_exchanges_between_known_ends_tell_how_often_animals_stray():
    here = [(10.0, 20.0, 0.0), (60.0, 20.0, 0.0)]
    # Two animals, each checked from both sides, ten frames inside.
    prior = PRIOR_STRAY * PRIOR_FRAMES
    assert stray_rate(here, here) == pytest.approx(prior / (40 + PRIOR_FRAMES))
    assert stray_rate(here, here[::-1]) == pytest.approx((4 + prior) / (40 + PRIOR_FRAMES))


def test_exchanges_that_were_expected_do_not_count():
    # At the end both lie on each other until the last frame: nobody can say from one end alone who is where, and nobody claims it.
    here = [(10.0, 20.0, 0.0), (60.0, 20.0, 0.0)]
    prior = PRIOR_STRAY * PRIOR_FRAMES
    between = [(35.0, 20.0, 0.0), (35.0, 20.0, 0.0)]
    for left in (here, here[::-1]):
        # Of four checks at most half of a mistake each was expected.
        assert stray_rate(here, left, at_last=between) <= (2 + prior) / (40 + PRIOR_FRAMES)


def test_one_answer_in_a_stay_decides_it_for_all_members():
    # They lie on each other in the middle; nothing is known of them afterwards but where a person saw the first one in the last frame.
    left, right, middle = (0.0, 20.0, 0.0), (60.0, 20.0, 0.0), (30.0, 20.0, 0.0)
    frames = [[left, right], [middle, middle], [middle, middle], [left, right]]
    frame_of = np.arange(1, 5)
    for at in (left, right):
        evidence = with_answers(silent, frame_of, [Answer(4, "a", at[0] + 3, at[1] - 2), Answer(4, "group", 0, 0)], ["a", "b"], 8.0)
        place, probability = one_merge(frames, frames, entered=[left, right], evidence=evidence)
        assert tuple(place[3, 0]) == at
        assert tuple(place[3, 1]) == ({left, right} - {at}).pop()
        assert (probability[3] > 0.999).all()
    assert with_answers(silent, frame_of, [Answer(4, "a", 0, 0)], ["a", "b"], 8.0)(0, [0, 1], np.zeros((4, 3))) is None


def test_facts_and_corrections_of_animals_are_answers():
    corrections = [Correction("m", 3, "a", "", 1.0, 2.0, ""), Correction("m", 3, "a", "nose", 5.0, 6.0, "")]
    corrections.append(Correction("m", 4, "a", "", np.nan, np.nan, ""))
    facts = [Fact("m", 5, 7.0, 8.0, kind, "b", 5, 2) for kind in ("is", "not")]
    assert answers_of(corrections, facts) == [Answer(3, "a", 1.0, 2.0), Answer(5, "b", 7.0, 8.0)]
