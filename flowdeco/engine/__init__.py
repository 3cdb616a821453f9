"""One run: its session and specification, executions, the ready queue, how it ends, its record.

May import: base, errors, jobs.
"""
