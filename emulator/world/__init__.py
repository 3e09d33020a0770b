"""The world file, and the buckets, stacks and rules that are put in place from it when an emulator starts."""
