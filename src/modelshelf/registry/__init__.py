"""The server: accounts, publishing, index lines, files, search, counts and pages.

Front door: `app.create_app(settings)` is the whole server as an ASGI application and
`server.serve` runs it. Add an endpoint as a module of `api/` that defines `API`, a
`routing.Resource`; a page as a module of `pages/` that does the same. What a read needs lies in
`releases`, what a publish does in `publish`; everything derived is made by `derived.refresh`.
"""
