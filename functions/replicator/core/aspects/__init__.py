"""What may change of a version after it was written, and which side's state stands."""
