"""Lambda: the processes that run deployed functions, and what invokes them: queues, schedules and the Invoke API."""
