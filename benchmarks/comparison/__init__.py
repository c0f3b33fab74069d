"""Faremeter beside a conventional build: what each loses, bills twice or lets through. See README.md."""
