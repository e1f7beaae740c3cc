"""Movies made up: animals walk, rest, meet and leave, and the truth is exact."""
