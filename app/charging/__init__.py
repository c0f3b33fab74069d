"""Online charging: the right to run once, the price of a call, and its durable record.

Owns: claims (idempotency), process leases, the group commit, the recorder, the quote of a call, test-key limits.
Does not own: prices and plans (pricing), the calculation (rating), what an event holds (metering).
Invariants: an answer leaves only after its event is durable; one claim has at most one recorded result and one charge;
events and rollup move in one transaction; a call that is refused here has cost its caller nothing.
"""
