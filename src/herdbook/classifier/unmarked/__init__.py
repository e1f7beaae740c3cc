"""Animals without marks: what looks alike is one animal, what is seen at the same time is not."""
