"""The rooms of operators: earnings, accounts, plans, invoice runs, models, mail, the whole audit log.

Owns: these pages and their forms.
Does not own: what an operator may change: the use cases do, and each change names the operator.
Invariants: nobody but an operator sees them; a working link of another operator is shown to nobody.
"""
