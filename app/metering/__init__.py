"""What was used: append-only facts and their sums.

Owns: usage events, the 15-minute rollup, batches and device intervals.
Does not own: prices, accounts, how an event comes to be (that is serving) or becomes durable (that is charging).
Invariants: an event is never changed; a failed call has no billable quantity; the rollup is the sum of the events, and
moves in the same transaction as they do.
"""
