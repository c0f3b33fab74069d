"""Training: the shipped models, made again from public data that scikit-learn carries.

Owns: the data splits, the training of `linear` and `vgg16-digits`, the cards that say how good they are.
Does not own: the networks themselves (each model's `predictor.py` builds its own) and serving.
Invariants: held-out data are never trained on and never chosen by; seeds are fixed; a version folder appears whole or
not at all, and replaces the one before only once it is written.
"""
