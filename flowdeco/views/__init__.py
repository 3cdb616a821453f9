"""What shows: listings, reports, graphs; and reports that travel.

May import: base, errors, jobs, engine.
"""
