"""The control plane's memory: SQLAlchemy models, migrations, and a repository for each noun."""
