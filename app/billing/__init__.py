"""Invoices: what an account owes for a period, line by line, and the run that issues them.

Owns: invoices, their lines and their gapless numbers, the invoice run, the preview of what it
would say now.
Does not own: quantities (metering), prices (pricing), the arithmetic of a price (rating), payment.
Invariants: one usage invoice an account and period; numbers have no gap; an issued invoice is never changed; the lines
sum to the subtotal, subtotal and tax to the total; each line is its exact nanos rounded once, half-even; what
was paid from credit is on no invoice.
"""
