"""Other queues, doing the closest equal work on the same server: one tracked job that does nothing per recipient."""
