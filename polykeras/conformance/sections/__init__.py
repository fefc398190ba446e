"""What is checked, one file per section; each runs alone."""
