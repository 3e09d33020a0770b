"""Programs that maintain this repository. Nothing here is installed or deployed."""
