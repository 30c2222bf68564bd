"""Judges learned schemas on recorded traffic: false positives, detection, structure, and other programs on the same splits."""
