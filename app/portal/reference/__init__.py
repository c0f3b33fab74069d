"""The API reference: a page that is rendered from the description that programs read.

Owns: reading the OpenAPI document, and how a reference is laid out.
Does not own: any route: what `/openapi.json` says is what the page says.
Invariants: every route of the API stands there; no script draws it.
"""
