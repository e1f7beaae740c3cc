"""What a person does with labels: which points are worth one (suggest), and how right the names are (validate)."""
