"""`stream-detector demo`: example events through the real worker, and what comes out."""
