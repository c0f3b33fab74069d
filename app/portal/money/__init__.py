"""The rooms of keys, usage and invoices.

Owns: these pages, their filters in the address, their files.
Does not own: any sum: what is shown is what `metering` and `billing` return.
Invariants: a secret is shown once, on the page that answers its making; the chart draws the cells of its table.
"""
