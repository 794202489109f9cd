"""What ships with Corpusmith as data: characters, scenarios, variation, prompts, endpoints."""
