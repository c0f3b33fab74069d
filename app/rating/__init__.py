"""The price calculator: a pure function of quantities and a frozen scheme.

Owns: one file a pricing scheme, and the charge of one call.
Does not own: plans, usage, invoices, any clock, setting or table.
Invariants: all amounts are exact integers of nanos and nothing is rounded; a quantity rated in parts costs what it
costs as a whole.
"""
