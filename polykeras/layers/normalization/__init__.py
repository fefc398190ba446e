"""Normalisation over batches, features, groups and vectors."""
