"""Propolis: a CRM for managed service providers, held together with Syncro."""
