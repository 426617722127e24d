"""Real videos to a clip store: shots, faces, crops, filters, features, and a verdict with numbers for every input."""
