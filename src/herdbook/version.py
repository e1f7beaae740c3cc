"""The version of Herdbook, which is written into every file that it makes: a module of its own, which all rooms may import."""

VERSION = "0.1.0"
