"""Mail that has to go out.

Owns: what waits to be delivered, and its delivery: by SMTP, or into a folder that operators see.
Does not own: what a mail says, to whom and why; the links in it.
Invariants: a mail is stored in the transaction of the change that it tells of; it is tried until it is delivered or has
failed for three days; no two processes deliver it at one time; its text is gone from the database once it is delivered.
"""
