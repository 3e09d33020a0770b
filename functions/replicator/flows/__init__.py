"""One file per use. A flow reads facts through ports, asks the core what to do, and does it."""
