"""What runs: jobs and their bodies, what they require, how they fared, and sets of them.

May import: base, errors.
"""
