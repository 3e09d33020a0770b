"""The tests. README.md says what belongs in which folder, what it may use, and how long it takes."""
