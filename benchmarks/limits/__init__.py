"""What counting a request under a rate limit costs."""
