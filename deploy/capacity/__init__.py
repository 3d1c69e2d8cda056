"""What it takes to serve more: measured costs, their sum, and how carts spread over shards."""
