"""`herdbook tune`: proposes how to find the animals, from sampled frames alone."""
