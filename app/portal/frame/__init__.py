"""What every page has: who looks, forms that cannot be forged, languages, themes, zones, and errors that are pages.

Owns: the route class of pages, cookies, the policy that browsers are told, templates' filters, texts of errors.
Does not own: any room: it knows none of them.
Invariants: a page is answered to whom its signature names; every answer carries the cookies that are owed; what leaves
an endpoint as an error arrives as a page.
"""
