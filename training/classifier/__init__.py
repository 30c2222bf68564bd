"""The classifier that tells API calls from all else; see docs/classifier.md."""
