"""The user's side: what a person's commands and `modelshelf.load` do, synchronous.

Each operation decides in a pure `plan` and acts in an `apply`; the command line only parses,
calls one of them and prints. Where things lie is `settings`, how a registry is asked is `remote`,
how bytes move is `transfer`, what a project has is `shelf`.
"""
