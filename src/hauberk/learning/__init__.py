"""From what successful requests of an operation looked like to a schema that can be enforced."""
