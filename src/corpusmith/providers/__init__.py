"""Model endpoints: three protocols on one transport, and the presets that name known endpoints."""
