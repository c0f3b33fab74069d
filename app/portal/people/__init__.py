"""The rooms of people: signing up and in, passwords, profile, members, the account's settings and audit log.

Owns: these pages and their forms.
Does not own: sessions, links, roles: `members` does.
Invariants: no page tells which addresses are known; a session is always made here and never taken from outside.
"""
