"""Two sides of a bucket's rules as sorted listings show them: what is certainly equal, and what leaves a doubt.

A listing proves equality cheaply, and nothing else. What differs, and what to do about it, is for the decision to say.
"""
