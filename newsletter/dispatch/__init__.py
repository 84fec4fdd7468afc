"""Planning and sending: an issue, an audience, and calls to the provider that never repeat on their own."""
