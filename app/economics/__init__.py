"""What the hardware costs, what a call has to cost for it to pay, and what each model leaves.

Owns: the hardware file, price suggestions, the margins of a month.
Does not own: prices in force (pricing), measurements (metering), what was earned (billing), any payment.
Invariants: cost is never written into a price by itself; every figure is exact (integers and fractions) and rounded
only where it is shown, a suggested price upwards, so that it keeps the margin asked for; what models bear and what
nobody bears is the wall-clock cost of the hardware, to the nano; amounts of different currencies are never added.
"""
