"""The report's section on body points: how many are known, how far off they are expected to be, what they look like on frames."""
