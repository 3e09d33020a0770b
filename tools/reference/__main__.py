"""`python -m tools.reference`: write the generated pages of docs/reference."""

from tools.reference import write

write()
