"""Dense, embedding, and other layers that everything is made of."""
