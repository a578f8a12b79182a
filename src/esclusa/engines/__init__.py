"""What implements the ports: one package an engine, and `inprocess`, the base of those that live in one process.

An engine imports the ports and the kernel, never another engine and never a capability; only `esclusa.bootstrap` imports
engines.
"""
