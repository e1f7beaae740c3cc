"""Events and tracklets: who met whom and when, who left, who is hidden; names and numbers survive the table."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from herdbook.tables.event_tables import EVENT_COLUMNS, TRACKLET_COLUMNS, join_names, split_names
from herdbook.tables.events import Spans, find_contacts, joined_spans, missing_spans
from tests.support.table_cases import write_results


def read(path):
    return pd.read_csv(
        path, dtype={"individuals": str, "individual": str}, keep_default_na=False, na_values={"x": "", "y": "", "confidence": ""}
    )


@pytest.fixture
def events(tmp_path):
    return read(write_results(tmp_path) / "events.csv")


def of_kind(events, kind):
    rows = events[events.kind == kind]
    return [(r.individuals, r.movie, r.frame, r.end_movie, r.end_frame) for r in rows.itertuples()]


def test_two_animals_in_one_blob_are_a_merge_and_a_contact(events):
    assert tuple(events.columns) == EVENT_COLUMNS
    assert of_kind(events, "merge") == [("A;B", "a", 10, "a", 14)]
    assert of_kind(events, "contact") == [("A;B", "a", 10, "a", 14)]
    contact = events[events.kind == "contact"].iloc[0]
    assert (contact.time, contact.duration, contact.animals, contact.arena) == (1.0, 0.5, 2, "dish")
    assert (contact.x, contact.y) == (40.0, 25.0)


def test_who_vanishes_at_the_edge_has_left_and_who_appears_there_has_come(events):
    assert of_kind(events, "exit") == [("B", "a", 17, "b", 4)]
    assert of_kind(events, "entrance") == [("B", "b", 5, "b", 5)]
    gone = events[events.kind == "exit"].iloc[0]
    assert (gone.time, gone.duration) == (1.7, 0.8)


def test_who_vanishes_elsewhere_is_hidden_and_who_is_never_seen_is_hidden_throughout(events):
    assert of_kind(events, "hidden") == [("C", "a", 0, "b", 19), ("B", "b", 10, "b", 12)]
    assert np.isnan(events[events.individuals == "C"].x.iloc[0])


def test_animals_without_lasting_names_come_and_go_at_the_edge(tmp_path):
    events = read(write_results(tmp_path, marking="none") / "events.csv")
    assert of_kind(events, "exit") == [("B", "a", 16, "a", 16)]
    assert of_kind(events, "entrance") == [("B", "b", 5, "b", 5)]
    assert of_kind(events, "hidden") == []


def test_each_animal_of_each_tracklet_has_a_row_and_nobody_has_one_without_a_name(tmp_path):
    table = read(write_results(tmp_path) / "tracklets.csv")
    assert tuple(table.columns) == TRACKLET_COLUMNS
    assert table[table.animals == 2][["movie", "tracklet", "first", "last", "individual"]].to_numpy().tolist() == [
        ["a", 2, 10, 14, "A"],
        ["a", 2, 10, 14, "B"],
    ]
    assert len(table) == 10
    nobody = table[table.individual == ""]
    assert nobody[["movie", "tracklet", "how"]].to_numpy().tolist() == [["b", 3, ""]]
    assert nobody.confidence.isna().all()
    assert set(table.how) == {"labelled", ""}


@given(st.lists(st.text(st.characters(exclude_characters="\r\n\0", codec="utf-8"), min_size=1), max_size=5))
def test_joined_names_come_apart_again(names):
    assert split_names(join_names(names)) == names


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 9)), max_size=8))
def test_joined_spans_cover_the_same_frames_and_lie_apart(parts):
    joined = joined_spans([(first, first + n, 0) for first, n in parts], np.arange(60.0), 0.0)
    assert {f for first, end, _ in joined for f in range(first, end)} == {f for first, n in parts for f in range(first, first + n)}
    assert all(before[1] < after[0] for before, after in pairwise(joined))


@pytest.mark.parametrize(
    ("gap_s", "contacts"),
    [(0.0, [(0, 5), (7, 10), (14, 20)]), (0.1, [(0, 5), (7, 10), (14, 20)]), (0.2, [(0, 10), (14, 20)]), (0.5, [(0, 20)])],
)
def test_a_contact_goes_on_where_the_pair_parts_for_a_moment(gap_s, contacts):
    first, end = np.array([0, 7, 14, 16, 3]), np.array([5, 10, 17, 20, 9])
    no = np.zeros(5, bool)
    spans = Spans(first, end, np.full(5, 2), [(0, 1), (1, 0), (0, 1), (0, 1, 2), (2,)], no, no, no, no)
    events = find_contacts(spans, np.arange(31) / 10, gap_s)
    assert [(event.first, event.end) for event in events if event.who == (0, 1)] == contacts
    assert [(event.first, event.end) for event in events if event.who == (0, 2)] == [(16, 20)]


@given(st.sets(st.integers(0, 30)), st.tuples(st.integers(0, 10), st.integers(12, 15), st.integers(16, 20), st.integers(22, 31)))
def test_missing_spans_are_the_tracked_frames_without_a_position(frames, bounds):
    tracked = np.array(bounds).reshape(2, 2)
    missing = missing_spans(np.array(sorted(frames), np.int64), tracked)
    inside = {f for first, end in tracked for f in range(first, end)}
    assert {f for first, end in missing for f in range(first, end)} == inside - frames
