"""Companies and contacts from a CSV file: upload, columns, preview, import, undo."""
