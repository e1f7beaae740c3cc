"""`herdbook tune`: proposes settings of section segment from sampled frames alone."""
