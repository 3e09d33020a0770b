"""Large objects: how they are cut, what that costs, and uploads as values."""
