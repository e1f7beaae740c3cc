"""Simulated movies with exact truth: animals walk, rest, meet and leave."""
