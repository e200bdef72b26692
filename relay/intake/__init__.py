"""Accept an alert once: journal, authorities, deduplication, recovery."""
