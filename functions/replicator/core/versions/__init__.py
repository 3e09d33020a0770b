"""Versions, their origins, and the changes that events tell of."""
