"""The REST interface.

Owns: routes, request parsing, the shapes of answers, HTTP status codes, middleware.
Does not own: any rule of the business and any SQL: a route parses, calls one use case, and renders.
Invariants: every error is problem+json with a stable code; no secret is echoed; every billable route goes through
`serving`.
"""
