"""The API: one module a resource, each with a constant `API`, a `routing.Resource`.

To add an endpoint, add it to its resource's module, or a new module here; it is served, and told
in `/openapi.json`, without being named anywhere else.
"""
