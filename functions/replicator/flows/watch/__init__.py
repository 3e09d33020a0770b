"""What runs every minute: counting what waits, and explaining what stopped without reporting."""
