"""How much a package must tell: one check a module."""
