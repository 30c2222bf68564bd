"""Who may come in: passwords, how often they may be tried, and what a browser holds that was let in. Nothing here knows a database."""
