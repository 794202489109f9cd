"""The REST face: `/api/v1`, over the same services as the others."""
