"""Networks that score, never generate: their weights are files the user brings."""
