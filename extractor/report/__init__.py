"""Extractions become one self-contained HTML page that people read instead of JSON."""
