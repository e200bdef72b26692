"""The conformance kit, fake providers and clocks; shipped, for third-party adapters too."""
