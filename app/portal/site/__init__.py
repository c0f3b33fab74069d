"""The rooms of everybody: the start page and the preferences.

Owns: these pages.
Does not own: the catalogue and its prices.
Invariants: they need no sign-in.
"""
