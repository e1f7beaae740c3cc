"""Who is who in a recording as a whole: images, movement, answers and ways through contacts together."""
