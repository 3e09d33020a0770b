"""The handler of one function."""
