"""The Studio: compose, preview, test and send in the browser. Loopback only."""
