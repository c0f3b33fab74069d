"""What the hardware costs and what a call has to cost for it to pay.

Owns: the hardware file, price suggestions.
Does not own: prices in force (pricing), measurements (metering), any payment.
Invariants: cost is never written into a price by itself; every figure is exact (integers and fractions) and rounded
only where it is shown, a suggested price upwards, so that it keeps the margin asked for.
"""
