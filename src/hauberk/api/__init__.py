"""The REST API: a file for each resource, over one envelope, one way to page and one way to authenticate."""
