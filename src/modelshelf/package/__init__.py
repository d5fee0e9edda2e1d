"""What a package is: frozen values and the rules about them. No file, network or clock here.

Front door: `manifest.parse` turns the text of a `shelf.toml` into a `record.Record` or raises
`Invalid` with every problem; `elements.ELEMENTS` is the one table of what a package can say about
itself; `entry.Entry` is a published release as one line of the registry's index.
"""
