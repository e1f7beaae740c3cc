"""Body points of named animals: which animal each detected point belongs to, and how right a table of them is."""
