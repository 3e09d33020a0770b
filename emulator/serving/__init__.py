"""HTTP: the server, the path of every request through faults, latency and log, and the control endpoints."""
