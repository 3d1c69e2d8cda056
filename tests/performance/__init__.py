"""What requests may cost: `make guard`."""
