"""The version of Herdbook, which every file it makes names: kept here, at the very bottom, so that all rooms can read it."""

VERSION = "0.1.0"
