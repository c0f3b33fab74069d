"""How many requests, units and calls at once a key, an account or a model may have.

Owns: the limits that apply to a call, the counters in memory and in Redis, what is told of them.
Does not own: which limits are set (accounts), money (the gate), HTTP headers (api).
Invariants: a call takes all of its limits or none; what a refused call took is given back; a minute never admits more
than the limit; a slot is free again when its call has ended, or its process has died.
"""
