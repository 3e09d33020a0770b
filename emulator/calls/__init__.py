"""One AWS API call: what it asks for, what it is answered, what it follows from, and the log of all of them."""
