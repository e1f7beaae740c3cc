"""Movies: read with exact frame numbers, and written completely or not at all."""
