"""Who makes a call, what it needs to be allowed, and what policies decide. Values only: nothing here asks moto."""
