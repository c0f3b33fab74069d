"""The books in double entry: journal entries whose postings sum to zero, and the credit that customers have.

Owns: ledger accounts, journal entries and postings, credit grants and the order in which they are drawn.
Does not own: invoices (billing), what a call costs (rating), when it may run (charging's gate), payments.
Invariants: each entry sums to zero and exists once a source; a balance is a sum of postings and nothing else; what is
left of a grant is the sum of its own postings; nobody draws more from a grant than is left of it.
"""
