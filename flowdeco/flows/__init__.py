"""Classes whose methods are jobs."""
