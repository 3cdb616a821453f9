"""What is declared: decorators, declarations, the definition of a class and its checks, flows.

May import: base, errors, jobs, engine, views, scheduler, observers.
"""
