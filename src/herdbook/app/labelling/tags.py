"""Colours that names stand for: BG is an animal with a blue and a green tag."""

from collections.abc import Sequence

# In the order of the page that makes names of colours; two with the same letter: the first one is meant.
TAGS = {
    **{"blue": "#3b82f6", "green": "#22a653", "orange": "#f08c1a", "pink": "#f06ab8", "white": "#f8f8f8", "yellow": "#f2d91a"},
    **{"red": "#e0312b", "purple": "#8b3fd1", "silver": "#b8bcc2", "black": "#202020"},
}
MOST_TAGS = 4


def tag_colours(names: Sequence[str]) -> dict[str, list[str]]:
    """The colours of the tags of each name, as #rrggbb; nothing if not all names are made of letters of colours, or are colours."""
    if all(name.lower() in TAGS for name in names):
        return {name: [TAGS[name.lower()]] for name in names}
    letters: dict[str, str] = {}
    for word, shade in TAGS.items():
        letters.setdefault(word[0].upper(), shade)
    made_of_letters = all(1 < len(name) <= MOST_TAGS and all(letter in letters for letter in name) for name in names)
    same_length = len({len(name) for name in names}) == 1
    return {name: [letters[letter] for letter in name] for name in names} if made_of_letters and same_length else {}
