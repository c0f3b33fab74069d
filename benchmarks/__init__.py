"""Measurements beside the obvious alternative, on one machine, in one run. See README.md."""
