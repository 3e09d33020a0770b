"""Rules of the house that no other tool checks, and proof that those which a tool checks do bite."""
