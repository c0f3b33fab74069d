"""Who calls and who pays.

Owns: accounts, API keys, users, the change sequence by which every process learns of a change.
Does not own: plans, prices, usage, limits.
Invariants: a key's secret is never stored, only its SHA-256; a revoked key is refused by every process within a second;
another account's ids do not exist for the caller.
"""
