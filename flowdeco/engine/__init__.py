"""One run of a set of jobs."""
