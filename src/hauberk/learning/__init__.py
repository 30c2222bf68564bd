"""From what was seen of an operation to a schema, and from a schema to what it would do. Values in, values out: nothing here reads or writes."""
