"""The experiment file: one typed model per section, its documentation, and the tables that users write."""
