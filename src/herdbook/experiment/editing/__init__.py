"""Changes in the text of an experiment file that leave its comments, its order and all other lines as they are."""
