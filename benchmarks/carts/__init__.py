"""What an add costs as a cart grows: `python -m benchmarks.carts`, `make bench-carts`.

In this process, through the whole request, without a network between client and server. The
database is what MONGODB_URI names.
"""
