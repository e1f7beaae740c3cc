"""Files of other tools, one module per tool, read and written."""
