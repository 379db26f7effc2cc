"""Extractions held against gold: what was found, what was missed, what was invented."""
