"""Who makes a call, and what resource policies decide about it."""
