"""What flowdeco costs beside others: a program, `python -m tests.bench`, that asserts nothing."""
