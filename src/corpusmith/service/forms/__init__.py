"""What people fill in to have a recipe run: one file a recipe."""
