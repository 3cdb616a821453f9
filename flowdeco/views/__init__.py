"""What shows jobs and runs."""
