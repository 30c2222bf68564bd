"""Alerts on their way to the owner: the message, and the webhook that takes it."""
