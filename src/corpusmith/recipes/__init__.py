"""Ways to produce records, one file each, with their prompts."""
