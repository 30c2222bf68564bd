"""Recorded traffic: where it is kept and what can be asked of it. Only masked transactions come here."""
