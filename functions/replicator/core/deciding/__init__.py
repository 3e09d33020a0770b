"""The decision: facts in, actions out."""
