"""The demo's sample data: what the CRM held before the first import, and whether the import was right."""
