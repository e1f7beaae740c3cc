"""Members of a group keep a name while they are followed without doubt, and only then."""

import numpy as np
import pytest

from herdbook.identity.members import name_members, sure_gaps, sure_parents


def named(spans, count, links=(), members=3) -> list[str]:
    first, last = np.array(spans, np.int64).T
    pairs = np.array(links, np.int64).reshape(-1, 2)
    return ["".join("abcdefgh"[n] for n in names) for names in name_members(first, last, np.array(count), pairs, members)]


ALONE = [(0, 9), (0, 9)]


def test_a_name_runs_on_where_only_one_way_leads():
    assert named([(0, 9), (10, 19), (20, 29)], [1, 1, 1], [(0, 1), (1, 2)]) == ["a", "a", "a"]


def test_a_merge_has_the_names_of_those_who_came():
    assert named([*ALONE, (10, 19)], [1, 1, 2], [(0, 2), (1, 2)]) == ["a", "b", "ab"]


def test_after_a_contact_of_two_members_both_have_other_names():
    spans = [*ALONE, (10, 19), (20, 29), (20, 29)]
    assert named(spans, [1, 1, 2, 1, 1], [(0, 2), (1, 2), (2, 3), (2, 4)], members=4) == ["a", "b", "ab", "c", "d"]


def test_names_return_when_there_is_no_other_and_never_more_are_given():
    spans = [*ALONE, (10, 19), (20, 29), (20, 29)]
    assert sorted(named(spans, [1, 1, 2, 1, 1], [(0, 2), (1, 2), (2, 3), (2, 4)], members=2)[3:]) == ["a", "b"]


def test_a_contact_with_somebody_known_keeps_the_name():
    # The second tracklet and the fourth are those of an animal with a name of its own.
    spans = [*ALONE, (10, 19), (20, 29), (20, 29)]
    assert named(spans, [1, 0, 1, 0, 1], [(0, 2), (1, 2), (2, 3), (2, 4)]) == ["a", "", "a", "", "a"]


@pytest.mark.parametrize(
    ("count", "links"),
    [
        ([1, 1, 1], [(0, 2), (1, 2)]),
        ([1, 0, 2], [(0, 2), (1, 2)]),
        ([2, 0, 1], [(0, 2)]),
    ],
    ids=["two may have come", "one came from nowhere", "one of two has gone on"],
)
def test_nobody_is_followed_where_it_is_in_doubt(count, links):
    assert sure_parents(np.array(count), np.array(links, np.int64)) == [[], [], []]


def test_at_random_no_name_is_in_two_places_and_none_is_beyond_the_members(rng):
    for _ in range(30):
        first = np.sort(rng.integers(0, 60, 25))
        last = first + rng.integers(0, 10, 25)
        count = np.zeros(25, np.int64)
        for k in range(25):
            meanwhile = (first[:k] <= first[k]) & (last[:k] >= first[k])
            count[k] = rng.integers(0, 1 + max(0, min(2, 5 - count[:k][meanwhile].sum())))
        after = [(a, b) for a in range(25) for b in range(25) if 1 <= first[b] - last[a] <= 3]
        links = np.array(after, np.int64).reshape(-1, 2)
        names = name_members(first, last, count, links, 5)
        assert [len(set(given)) for given in names] == count.tolist()
        assert {name for given in names for name in given} <= set(range(5))
        for frame in range(70):
            here = [name for k in np.flatnonzero((first <= frame) & (last >= frame)) for name in names[k]]
            assert len(here) == len(set(here))


def test_a_gap_counts_when_it_leaves_no_choice():
    count, none = np.array([1, 1, 1, 1]), np.zeros((0, 2), np.int64)
    assert sure_gaps(count, none, np.array([[0, 2], [1, 3]])).tolist() == [[0, 2], [1, 3]]
    assert sure_gaps(count, none, np.array([[0, 2], [0, 3], [1, 3]])).tolist() == []
    assert sure_gaps(count, np.array([[0, 1]]), np.array([[0, 2], [1, 3]])).tolist() == [[1, 3]]
    assert sure_gaps(np.array([1, 0, 1, 0]), none, np.array([[0, 2], [1, 3]])).tolist() == [[0, 2]]
    assert named([(0, 9), (12, 20)], [1, 1], sure_gaps(np.array([1, 1]), none, np.array([[0, 1]]))) == ["a", "a"]
