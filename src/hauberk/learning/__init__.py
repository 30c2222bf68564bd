"""From what successful requests of an operation looked like to a schema that can be enforced."""

from hauberk.learning.document import documents
from hauberk.learning.learn import learn
from hauberk.learning.pool import Pool
from hauberk.learning.settings import LearnOptions

__all__ = ["LearnOptions", "Pool", "documents", "learn"]
