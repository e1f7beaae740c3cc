"""Who is in which tracklet: the graph of a recording, evidence, and one integer programme over both."""
