"""What is reported of finished trajectories: tracks, motion, events, tables, and the score against a truth."""
