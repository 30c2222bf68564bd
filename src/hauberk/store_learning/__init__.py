"""
Learning from a traffic store as a whole, on this machine or on a Spark cluster: operations first, then what their requests look like.

An engine reads the store twice. Where its parts lie, and who reads them, makes no difference to what comes out: counted paths are added,
and profiles of the same operation are put together.
"""
