"""The pages: server-rendered HTML for visitors, members of accounts and operators.

Owns: pages and their forms, the browser's session cookie, protection against forged requests, languages, themes, zones.
Does not own: any rule of the business and any SQL: a page asks use cases, and a template shows what they return.
Invariants: every page reads without JavaScript; no script or style stands inside a page; every form that changes
something carries a token of its session; text that people wrote is escaped; a page is shown to whom its route names.
"""
