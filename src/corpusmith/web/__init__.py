"""The pages of the studio, over the same services as the other faces."""
