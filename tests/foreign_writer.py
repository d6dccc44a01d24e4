#!/usr/bin/python3
"""foreign_writer.py DB SQL ANSWER - some other program that writes the database.

Runs the statements in the file SQL with this Python's own SQLite (Debian 12:
3.40.1), which knows nothing of ours, until one fails.  The file ANSWER gets
the error's words, or stays empty.  Ends with 0 in both cases.
"""
import sqlite3
import sys


def main():
    path, sql, answer = sys.argv[1:]
    db = sqlite3.connect(path, isolation_level=None)
    with open(sql, encoding="utf-8") as script, open(answer, "w", encoding="utf-8") as out:
        try:
            db.executescript(script.read())
        except sqlite3.Error as error:
            out.write(str(error))
    db.close()


if __name__ == "__main__":
    main()
