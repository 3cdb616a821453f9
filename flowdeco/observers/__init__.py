"""Those who watch a run."""
