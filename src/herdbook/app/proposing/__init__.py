"""Values that the page proposes: from clicked animals and dirt, from measurements of the movie, and what rests in the background."""
