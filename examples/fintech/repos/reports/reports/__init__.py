"""Monthly settlement report."""
