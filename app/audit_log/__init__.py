"""Who changed what, and when.

Owns: actors, the entries of the audit log.
Does not own: what an action means, who may do it; the domains that act.
Invariants: an entry is written in the transaction of the change that it tells of; it is never changed or deleted, but
forgets the actor's network address after a while; its details hold no secret, hash or token, and people are ids in it.
"""
