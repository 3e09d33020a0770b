"""The survey: listings of a source and its destinations, merged, with what they leave in doubt handed to a consumer.

Nothing here says what is missing: the decision does, about each key in doubt.
"""
