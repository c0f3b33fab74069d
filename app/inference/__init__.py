"""Inference: arrays in, arrays out.

Owns: the model repository, the reading and decoding of inputs, the batch queue, the engines and what a batch was.
Does not own: who calls, what a call costs, what is stored. It knows accounts only as names.
Invariants: an input is checked whole before anything is queued; an entry that was cancelled or is past its deadline
never reaches a device; every batch that ran is reported once, and the shares of its compute time sum to it; torch is
imported by `runner` alone; weights are safetensors, a pickle is refused.
"""
