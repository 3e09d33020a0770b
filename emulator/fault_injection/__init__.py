"""How AWS misbehaves on request: failing calls, slow calls, and events that arrive twice or out of order."""
