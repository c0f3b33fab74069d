"""The people behind accounts: who belongs to which, in what role, and how they prove who they are.

Owns: memberships and roles, invitations, sign-up, sign-in, sessions, mailed links, identities at an OpenID Connect
provider, and the texts of the mails about them.
Does not own: accounts, users' rows, pages and cookies; how a mail is delivered.
Invariants: a user exists only for an address whose mailbox was read, or whom an operator made; an account that has
members has an owner; of a link or a session only the SHA-256 of its token is stored; a link works once; no answer tells
whether an address is known.
"""
