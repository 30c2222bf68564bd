"""Superset behind a proxy, with a database file in its own folder."""

import os

SECRET_KEY = "recorded-only-recorded-only-1"
SQLALCHEMY_DATABASE_URI = f"sqlite:///{os.environ['APP']}/superset.db"
ENABLE_PROXY_FIX = True
TALISMAN_ENABLED = False
WTF_CSRF_ENABLED = True
