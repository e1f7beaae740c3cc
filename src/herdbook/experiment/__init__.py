"""The experiment file: one typed model per section, its documentation, and the tables that people write beside it."""
