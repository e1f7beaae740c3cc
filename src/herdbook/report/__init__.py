"""The page that tells what was tracked, and how right it is."""
