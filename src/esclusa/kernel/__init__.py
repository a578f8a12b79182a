"""What every part needs and that knows no part: time, ids, messages, errors, lifecycle, instruments, signals.

Promises: no I/O, no global state, nothing that happens at import. The only raw clock and the only raw randomness of
the program are in `clock` and `ids`.
"""
