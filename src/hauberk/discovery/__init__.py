"""From what was seen in traffic to candidates, session identifiers and reports. Values in, values out: nothing here reads or writes."""
