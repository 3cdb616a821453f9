"""Who watches: the base of observers.

May import: base, errors, jobs, engine, views, scheduler.
"""
