"""The beginning of an experiment on the page: what may be chosen, and the routes of the form."""
