"""Rules of this repository that no other tool checks, and proof that each of them catches what it forbids.

Belongs here: claims about files, such as sizes, imports, docs that list what the code has. Each is one test that lists
every offender. May use: the files and the parsed code. Nothing is run except import-linter.
"""
