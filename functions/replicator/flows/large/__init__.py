"""Versions that take more than one request: writing them in parts, and clearing up."""
