"""The parts of `extractor.text.calendars`: words, numbers, grammar and calendar arithmetic."""
