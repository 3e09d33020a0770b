"""The operator's command: reads arguments, calls the same flows as the functions do, prints what came of it."""
