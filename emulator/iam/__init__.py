"""Who makes a call, and what resource policies say about it."""
