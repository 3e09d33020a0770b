"""What came of a change: outcomes, how they count, and what is published of them."""
