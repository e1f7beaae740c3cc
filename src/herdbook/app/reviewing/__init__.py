"""Reviewing what a run found: doubts answered, names found again at once, random positions judged, and events noted while watching."""
