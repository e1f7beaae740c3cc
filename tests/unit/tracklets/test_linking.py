"""Links between blobs, merges and splits, drop-outs and fast animals, on drawn scenes and against brute force."""

from itertools import permutations

import numpy as np
import pytest

from herdbook.artifacts.segment import Blobs, open_blob_images
from herdbook.geometry.ellipses import body_length
from herdbook.geometry.overlap import frame_overlaps
from herdbook.tracklets.linking import (
    Chains,
    Links,
    chain_links,
    contract_chains,
    feature_spread,
    link_by_motion,
    link_overlapping,
    step_gate,
)

NO_LINKS = Links(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
BODY = (8, 4)  # semi-axes, px


def overlap_links(path):
    blobs = Blobs.load(path)
    with open_blob_images(path) as images:
        runs, offsets = images.runs(0, len(blobs))
    return blobs, link_overlapping(frame_overlaps(blobs.box, runs, offsets, blobs.frame_offsets), blobs.area)


def motion_links(points, *, links=NO_LINKS, area=None, max_step_px=20.0, bridge_frames=0):
    """Links as pairs of rows for blobs (frame, x, y)."""
    frame, x, y = np.array(points, float).T
    area = np.full(len(frame), 100, np.int32) if area is None else np.array(area, np.int32)
    found = link_by_motion(links, frame.astype(np.int32), x, y, area, max_step_px=max_step_px, bridge_frames=bridge_frames)
    return list(zip(found.parent.tolist(), found.child.tolist(), strict=True))


def links_of(pairs):
    parent, child = np.array(sorted(pairs), np.int64).reshape(-1, 2).T
    return Links(parent, child, np.ones(len(parent)))


def animal(x, y, angle=0.0):
    return (x, y, *BODY, angle)


def test_a_walking_animal_is_one_tracklet(write_blobs):
    blobs, links = overlap_links(write_blobs("m", [[animal(20 + 5 * t, 40)] for t in range(12)]))
    chains = chain_links(links, len(blobs))
    assert chains.tracklet.tolist() == [0] * 12
    assert not len(chains.edges)


def test_weight_of_a_link_is_the_share_of_common_pixels():
    links = link_overlapping(np.array([[0, 1, 30]]), np.array([50, 60], np.int32))
    assert links.weight.tolist() == [30 / (50 + 60 - 30)]


def test_a_merge_and_a_split_cut_the_tracklets_and_make_edges(write_blobs):
    apart = [0, 4, 8, 12, 16, 12, 8, 4, 0]  # half of what brings them together
    frames = [[animal(40 + d, 40, 90), animal(80 - d, 40, 90)] for d in apart]
    blobs, links = overlap_links(write_blobs("m", frames))
    chains = chain_links(links, len(blobs))
    assert np.bincount(blobs.frame).tolist() == [2, 2, 2, 2, 1, 2, 2, 2, 2]
    assert chains.edges.tolist() == [[0, 2], [1, 2], [2, 3], [2, 4]]
    assert chains.tracklet.tolist() == [0, 1] * 4 + [2] + [3, 4] * 4


def test_tracklets_follow_time_and_are_numbered_by_their_first_blob(write_blobs, rng):
    walks = np.array([80, 60]) + np.cumsum(rng.normal(0, 4, (60, 5, 2)), axis=0)
    frames = [[animal(x, y, rng.uniform(0, 180)) for x, y in at if rng.random() < 0.9] for at in walks]
    blobs, links = overlap_links(write_blobs("m", frames))
    links = link_by_motion(links, blobs.frame, blobs.x, blobs.y, blobs.area, max_step_px=20, bridge_frames=2)
    chains = chain_links(links, len(blobs))
    first = np.unique(chains.tracklet, return_index=True)[1]
    assert chains.count > 10
    assert (np.diff(first) > 0).all()
    for tracklet in range(chains.count):
        assert (np.diff(blobs.frame[chains.tracklet == tracklet]) > 0).all()
    last_frame, first_frame = np.zeros(chains.count, int), blobs.frame[first]
    np.maximum.at(last_frame, chains.tracklet, blobs.frame)
    assert (last_frame[chains.edges[:, 0]] < first_frame[chains.edges[:, 1]]).all()


@pytest.mark.parametrize(
    ("strip", "areas", "kept"),
    [(2, (10, 10, 10, 10), False), (3, (10, 10, 10, 10), True), (2, (10, 10, 14, 10), True), (2, (10, 10, 10, 14), True)],
    ids=["follows closely", "shares too much", "first mate grew", "second mate grew"],
)
def test_a_small_overlap_of_two_animals_in_line_is_no_merge(strip, areas, kept):
    # The animal behind (0 -> 2) moves into the place that the one in front (1 -> 3) has left.
    overlaps = np.array([[0, 2, 7], [1, 2, strip], [1, 3, 7]])
    links = link_overlapping(overlaps, np.array(areas, np.int32))
    assert ((links.parent == 1) & (links.child == 2)).any() == kept
    assert {(0, 2), (1, 3)} <= set(zip(links.parent.tolist(), links.child.tolist(), strict=True))


def test_body_length_is_that_of_the_drawn_animals(write_blobs):
    blobs = Blobs.load(write_blobs("m", [[(40, 60, 20, 6, 30), (110, 60, 20, 6, 110), (80, 20, 4, 4, 0)]]))
    assert body_length(blobs.moments) == pytest.approx(40, abs=1)
    assert body_length(np.zeros((0, 3))) == 1


def test_the_gate_is_three_times_the_longest_unique_step_but_one_and_a_half_bodies_at_least():
    x, y = np.array([0.0, 4.0, 14.0, 100.0, 0.0]), np.zeros(5)
    sure, split = links_of([(0, 1), (1, 2)]), links_of([(0, 1), (1, 2), (1, 3)])
    assert step_gate(sure, x, y, 10) == pytest.approx(30, rel=0.01)
    assert step_gate(sure, x, y, 30) == 45
    assert step_gate(split, x, y, 2) == pytest.approx(12)  # the ends of a split say nothing
    assert step_gate(NO_LINKS, x, y, 10) == 15


def test_a_fast_animal_that_leaves_its_own_place_stays_linked(write_blobs):
    step = 1.3 * 2 * BODY[0]
    blobs, links = overlap_links(write_blobs("m", [[animal(12 + step * t, 30), animal(300 - step * t, 90)] for t in range(14)], (320, 120)))
    assert not len(links.parent)
    gate = step_gate(links, blobs.x, blobs.y, body_length(blobs.moments))
    links = link_by_motion(links, blobs.frame, blobs.x, blobs.y, blobs.area, max_step_px=gate, bridge_frames=0)
    assert chain_links(links, len(blobs)).tracklet.tolist() == [0, 1] * 14


def test_nothing_is_linked_beyond_the_longest_step():
    assert motion_links([(0, 10, 10), (1, 29, 10)]) == [(0, 1)]
    assert motion_links([(0, 10, 10), (1, 31, 10)]) == []


def test_the_predicted_position_counts_where_two_meet():
    # Both came along x and jump past each other; the nearest positions would swap them.
    points = [(0, 0, 10), (0, 30, 12), (1, 8, 10), (1, 22, 12), (2, 16, 10), (2, 14, 12)]
    links = links_of([(0, 2), (1, 3)])
    assert motion_links(points, links=links) == [(0, 2), (1, 3), (2, 4), (3, 5)]


def best_assignment(ends, starts, reach):
    """Most pairs within reach, then least total distance, over all permutations."""
    distance = np.hypot(*(ends[:, None] - starts[None]).transpose(2, 0, 1))
    distance[distance > reach] = np.inf
    if len(ends) > len(starts):
        distance = distance.T
    best = (0, 0.0)
    for columns in permutations(range(distance.shape[1]), len(distance)):
        chosen = distance[np.arange(len(distance)), columns]
        chosen = chosen[np.isfinite(chosen)]
        best = min(best, (-len(chosen), chosen.sum()))
    return best


def test_assignment_is_that_of_brute_force(rng):
    for _ in range(60):
        ends, starts = rng.uniform(0, 60, (rng.integers(1, 6), 2)), rng.uniform(0, 60, (rng.integers(1, 6), 2))
        points = [(0, *p) for p in ends] + [(1, *p) for p in starts]
        pairs = motion_links(points)
        lengths = [np.hypot(*(ends[a] - starts[b - len(ends)])) for a, b in pairs]
        number, total = best_assignment(ends, starts, 20)
        assert len(pairs) == -number
        assert sum(lengths) == pytest.approx(total)
        assert len({a for a, _ in pairs}) == len({b for _, b in pairs}) == len(pairs)


@pytest.mark.parametrize(("x", "linked"), [(10.5, False), (11.5, True), (18.5, True), (19.5, False)])
def test_an_animal_is_expected_where_the_mean_of_its_last_two_steps_leads(x, linked):
    # Steps of 2 and 8 px lead to 15.
    points = [(0, 0, 0), (1, 2, 0), (2, 10, 0), (3, x, 0)]
    assert ((2, 3) in motion_links(points, links=links_of([(0, 1), (1, 2)]), max_step_px=4)) == linked


@pytest.mark.parametrize(("x", "linked"), [(13.5, False), (14.5, True), (21.5, True), (22.5, False)])
def test_an_animal_with_one_step_is_expected_to_take_it_again(x, linked):
    assert ((1, 2) in motion_links([(0, 2, 0), (1, 10, 0), (2, x, 0)], links=links_of([(0, 1)]), max_step_px=4)) == linked


@pytest.mark.parametrize(("gap", "bridged"), [(2, True), (3, True), (4, False)])
def test_a_drop_out_is_bridged_up_to_the_number_of_frames(gap, bridged):
    points = [(0, 10, 10), (1, 12, 10), (1 + gap, 12 + 2 * gap, 10), (2 + gap, 14 + 2 * gap, 10)]
    links = links_of([(0, 1), (2, 3)])
    assert ((1, 2) in motion_links(points, links=links, bridge_frames=2)) == bridged


@pytest.mark.parametrize(("distance", "bridged"), [(39, True), (41, False)])
def test_a_drop_out_gives_the_animal_time_to_go_farther(distance, bridged):
    assert bool(motion_links([(0, 10, 10), (2, 10 + distance, 10)], max_step_px=20, bridge_frames=1)) == bridged


def test_a_drop_out_just_before_the_movie_ends_is_bridged():
    assert motion_links([(0, 10, 10), (2, 12, 10)], bridge_frames=1) == [(0, 1)]


@pytest.mark.parametrize(
    ("others", "area"),
    [([(2, 14, 18)], (100, 100, 100)), ([(0, 14, 18)], (100, 100, 100)), ([], (100, 201)), ([], (201, 100))],
    ids=["two that appear", "two that vanish", "twice as large", "half as large"],
)
def test_an_uncertain_drop_out_is_not_bridged(others, area):
    points = sorted([(0, 10, 10), (2, 12, 10), *others])
    assert motion_links(points, area=area, bridge_frames=2) == []


def test_blobs_that_overlap_links_have_claimed_are_not_linked_again():
    points = [(0, 10, 10), (1, 11, 10), (1, 14, 10)]
    assert motion_links(points, links=links_of([(0, 1)])) == [(0, 1)]


def chains_of(edges, count):
    edges = np.array(edges, np.int64).reshape(-1, 2)
    return Chains(np.arange(count, dtype=np.int32), edges, np.arange(len(edges), dtype=float))


def test_noise_that_splits_off_leaves_one_tracklet():
    # 0 -> 2 with the speck 1; 2 -> 3 and the speck 4.
    chains, origin = contract_chains(chains_of([[0, 1], [0, 2], [2, 3], [2, 4]], 5), np.array([1, 0, 1, 1, 0], np.int16))
    assert chains.tracklet.tolist() == [0, 1, 0, 0, 2]
    assert not len(chains.edges)
    assert origin.tolist() == [0, 1, 4]


def test_a_merge_with_its_animals_is_kept_and_renumbered():
    # A speck (0) merges into 1, the same animal as 3; 3 and 2 merge into 4.
    chains, origin = contract_chains(chains_of([[0, 3], [1, 3], [2, 4], [3, 4]], 5), np.array([0, 1, 1, 1, 2], np.int16))
    assert chains.tracklet.tolist() == [0, 1, 2, 1, 3]
    assert chains.edges.tolist() == [[2, 3], [1, 3]]
    assert chains.weight.tolist() == [2, 3]
    assert origin.tolist() == [0, 1, 2, 4]


def test_tracklets_of_different_numbers_are_not_joined():
    chains, _ = contract_chains(chains_of([[0, 1]], 2), np.array([1, 2], np.int16))
    assert chains.tracklet.tolist() == [0, 1]
    assert chains.edges.tolist() == [[0, 1]]


def test_no_blobs_make_no_tracklets():
    chains = chain_links(link_overlapping(np.zeros((0, 3), np.int64), np.zeros(0, np.int32)), 0)
    assert chains.count == 0
    assert contract_chains(chains, np.zeros(0, np.int16))[0].count == 0


def test_features_decide_where_positions_cannot():
    """Two animals that jump past each other: by their positions they would be exchanged, by their brightness they are not."""
    frames = 80
    frame = np.repeat(np.arange(2 * frames), 2).astype(np.int32)
    x, y = np.tile([0.0, 30.0], 2 * frames), np.zeros(4 * frames)
    bright = np.tile([40.0, 90.0], 2 * frames) + np.resize([0.5, -0.5, 0.3], 4 * frames)
    # Half-way both jump to the middle, each a little beyond the other.
    x[2 * frames :] = np.tile([16.0, 14.0], frames)
    first = np.arange(2 * frames - 2)
    second = np.arange(2 * frames, 4 * frames - 2)
    links = Links(np.concatenate([first, second]), np.concatenate([first, second]) + 2, np.ones(4 * frames - 4))
    features = np.stack([np.zeros(4 * frames), bright], 1).astype(np.float32)
    ends = {2 * frames - 2, 2 * frames - 1}

    def joined(features):
        found = link_by_motion(links, frame, x, y, np.full(4 * frames, 50, np.int32), max_step_px=30, bridge_frames=0, features=features)
        return {int(a): int(b) for a, b in zip(found.parent, found.child, strict=True) if int(a) in ends}

    near, bare = joined(features), joined(None)
    assert near == {2 * frames - 2: 2 * frames, 2 * frames - 1: 2 * frames + 1}
    assert bare == {2 * frames - 2: 2 * frames + 1, 2 * frames - 1: 2 * frames}


def test_variation_of_features_is_learned_from_pairs_of_one_animal(rng):
    features = rng.normal(0, [0.1, 3.0], (4000, 2)).astype(np.float32)
    before = np.arange(-1, 3999, dtype=np.int32)
    assert feature_spread(features, before) == pytest.approx(np.sqrt(2) * np.array([0.1, 3.0]), rel=0.1)
    assert np.isinf(feature_spread(features, np.full(4000, -1, np.int32))).all()
