"""Everything that is in the database as one file, and a database made from it.

Owns: the format of the archive, writing and checking it, the rows on their way in and out.
Does not own: what a row means; the schema, which migrations make; models and their weights, which are files.
Invariants: an archive is one state of the whole database, and one of a SQLite database restores into PostgreSQL and
the other way round; no file bears its name before it is complete and durable; nothing is restored unless all of it is
sound.
"""
