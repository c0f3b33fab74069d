"""The first look-ups of a process come from many threads at once: a statement that they share must be whole by then.

In a process of its own, since it is the first use that counts; and with pauses where SQLAlchemy has made the columns of
an alias, so that threads meet there for certain.
"""

import subprocess
import sys

_SCRIPT = """
import itertools, sys, threading, time
from app.accounts import caller_store
from app.database import Database
from sqlalchemy.sql import selectable

make_columns = selectable.AliasedReturnsRows._populate_column_collection

def make_columns_slowly(*arguments, **named):
    make_columns(*arguments, **named)
    time.sleep(0.003 * next(turns))

turns = itertools.count(1)
selectable.AliasedReturnsRows._populate_column_collection = make_columns_slowly
database, together, errors = Database(sys.argv[1]), threading.Barrier(8), []

def look_up():
    together.wait()
    for _ in range(3):
        try:
            with database.reading() as session:
                caller_store.find_caller(session, bytes(32))
        except Exception as error:
            errors.append(error)

threads = [threading.Thread(target=look_up) for _ in range(8)]
for each in threads:
    each.start()
for each in threads:
    each.join()
sys.exit(f"{len(errors)} failed: {errors[0]}" if errors else 0)
"""


def test_threads_that_look_keys_up_for_the_first_time_at_once_all_get_an_answer(sqlite_url: str) -> None:
    done = subprocess.run([sys.executable, "-c", _SCRIPT, sqlite_url], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
