"""Puts the repository's root where `import benchmarks` looks; the programs there are no part of the package."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
