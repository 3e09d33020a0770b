"""Random histories of writes, deletes, faults and crashes, with the product's promises checked in each.

Belongs here: the simulated buckets' users, the scheduler of calls, the promises as checks, deliberate faults of the
algorithm that the simulation must find, and seeds that once failed. One seed is one history, on every machine.
May use: `tests/fakes` and the product's own flows. `make simulate` plays more histories than the tests do.
"""
