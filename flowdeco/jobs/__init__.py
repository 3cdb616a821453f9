"""What runs: jobs, their bodies, chains of them."""
