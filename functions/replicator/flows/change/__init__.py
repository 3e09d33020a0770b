"""One change from its message to its end: consume, replicate, synchronise, conclude."""
