"""Inventories of both sides instead of listings: S3 Inventory reports, compared with SQL.

`questions.py` has the SQL, in the words that DuckDB and Athena share; `report.py` reads manifests, `database.py` brings
reports into DuckDB; `comparison.py` has what is left in doubt examined as `verify` always does.
"""
