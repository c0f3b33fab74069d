"""What things cost: plans, their frozen versions, and who is on which plan from when.

Owns: plan files, plans, plan versions, plan assignments.
Does not own: how a quantity becomes an amount (rating), what was used (metering), invoices.
Invariants: a plan version is never changed once published; at every instant an account has at most one plan version;
all versions of a plan have one currency.
"""
