"""What an alert is. Pure: no await, clock, network or Redis in this room."""
