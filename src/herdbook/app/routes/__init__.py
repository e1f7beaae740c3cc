"""Routes of the page by subject, and what all of them share."""
