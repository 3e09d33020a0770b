"""`make demo`: the product at work between two emulated Regions, in a minute of somebody's time.

Everything it shows happens: the real template is deployed, the real handlers run, and the tables are read from the
buckets, the journal, the dead-letter queue and the functions' own log. Nothing is played back.
"""
