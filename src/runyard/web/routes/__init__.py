"""The addresses, one file for each resource."""
