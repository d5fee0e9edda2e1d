"""The commands of `shelf`: one module each, named like the command."""
