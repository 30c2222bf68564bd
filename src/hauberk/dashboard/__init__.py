"""Pages for people, in the same process as the REST API and a client of it: what a page can do, the API can."""
