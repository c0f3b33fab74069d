"""The playground: a model is tried from a page, with the answer, its price, and the same call as code.

Owns: what a page needs to know of a model, reading what people paste, the code that makes the same call.
Does not own: admission, charging and running: a call from here takes the way of every other call.
Invariants: one press of the button is charged once at most; nothing runs live unless the person chose it.
"""
