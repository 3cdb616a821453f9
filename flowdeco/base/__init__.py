"""What knows of no job."""
