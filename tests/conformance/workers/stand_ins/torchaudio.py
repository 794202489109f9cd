"""Stands where LLaMA-Factory imports torchaudio, which has no build without a GPU. Never used."""
