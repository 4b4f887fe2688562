"""From boxes to embeddings."""
