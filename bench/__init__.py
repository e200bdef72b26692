"""What we claim, measured on this machine with one command: ``./run bench`` (design §17)."""
