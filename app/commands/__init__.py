"""The command line: one module a group of commands.

Owns: arguments, options, what is printed. Does not own: any logic; a command calls one use case.
Invariants: exit status 0 only on success; what prints data has `--json`; errors are one line on stderr.
"""
