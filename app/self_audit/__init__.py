"""Whether the books agree with each other: what is kept twice is computed once more and compared, exactly.

Owns: the checks, their queries, the report of an audit.
Does not own: any table, any correction; what an amount or a quantity is, which is asked where it is at home.
Invariants: an audit sees one state of the database and changes nothing; it reads in pages and streams; a check says how
much it has compared, so that nothing passes for everything.
"""
