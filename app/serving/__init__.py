"""The predict use case: from an authenticated call to an answer whose usage is durable.

Owns: the order of the steps, admission, how a prediction becomes a usage event and an answer.
Does not own: HTTP (api), models (inference), prices (pricing, rating), durability (charging).
Invariants: nothing runs before it is admitted and claimed; nothing leaves before it is recorded; what fails is free.
"""
