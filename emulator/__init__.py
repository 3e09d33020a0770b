"""AWS on this machine: what the demo, the tests and trying out rules run against."""
