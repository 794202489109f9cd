"""The database: SQLite or Postgres behind one `SqlStore` (`open.py` opens it).

Owns: tables, migrations, transactions, leases, and what each noun's rows mean.
Does not own: keys in clear text, prompts, what a run decides.
"""
