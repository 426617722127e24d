"""Cases of the recorded metric vectors: one module per kind, sizes read from the folder's manifest."""
