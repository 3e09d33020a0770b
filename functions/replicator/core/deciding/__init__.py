"""The decision: facts in, actions out.

Start with decision.py. It takes what attempt.py, target.py, journal.py and facts.py define, and returns what actions.py
defines. How it decides: eligibility.py (may this version be copied?), then plan.py, with standing.py (what is where)
and winner.py (which version must be current). What follows: copy.py (what a replica has), result.py (how it ended).
"""
