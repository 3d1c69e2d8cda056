"""What reading the catalog costs as it grows: `python -m benchmarks.catalog`, `make bench-catalog`.

In this process, through the whole request (middleware, view, selector, presenter, renderer), but
without a network between client and server. The database is what MONGODB_URI names.
"""
