"""`herdbook suggest`: which points to label next, and `herdbook validate`: how often names are right."""
