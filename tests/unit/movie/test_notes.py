"""Notes on movies are joined where they are the same."""

from herdbook.movie.notes import join_notes


def test_movies_with_the_same_note_share_a_sentence() -> None:
    assert join_notes({"a": ["x", "y"], "b": [], "c": ["y"]}) == ["movie a: x.", "movies a, c: y."]


def test_the_names_of_many_movies_are_cut() -> None:
    assert join_notes({str(number): ["x"] for number in range(8)}) == ["movies 0, 1, 2, 3, 4 and 3 more: x."]
    assert join_notes({str(number): ["x"] for number in range(5)}) == ["movies 0, 1, 2, 3, 4: x."]
