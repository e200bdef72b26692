"""Built-in adapters. They know relay.adapter and relay.errors only, and are found by entry point."""
