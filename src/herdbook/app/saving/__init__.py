"""What lies behind saving: the draft, the journal and locks."""
