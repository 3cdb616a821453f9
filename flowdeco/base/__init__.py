"""What knows no job: text, numbers, graphs, locations, and what others must know of jobs.

May import: nothing.
"""
