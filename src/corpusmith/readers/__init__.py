"""Reading other people's files as rows: JSON, JSONL, CSV, Parquet, data sets of a hub."""
