"""Extractions in the formats of other tools, and corrections back as gold."""
