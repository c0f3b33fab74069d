"""Faremeter: PyTorch models as a paid API.

Layers, top to bottom, are listed in `docs/architecture.md` and held by import-linter; a module imports only from below.
Read `serving/predict.py` and `billing/invoice_run.py` first: they tell what the product does.
"""

__version__ = "0.1.0"
