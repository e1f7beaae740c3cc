"""One module per rule of the workflow, nothing else.

`python -m herdbook.stages.<rule>` reads artifacts, calls the rooms below, and writes one artifact.
"""
