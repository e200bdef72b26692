"""Who is to be told: recipients, the node's index, matching by area."""
