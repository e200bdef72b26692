"""The engine: plan, claim, send, retry, reconcile."""
