"""`python -m hauberk.cli`: the same as `hauberk`."""

from hauberk.cli import main

raise SystemExit(main())
