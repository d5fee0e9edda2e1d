"""Loaders that a traced program is watched for, one module each.

    python traced/__main__.py EVENTS script SCRIPT [ARGUMENTS...]

runs a program and appends to the file EVENTS a line of JSON for each thing that it loads. The program
may run in any Python from 3.9 on: nothing in this folder imports more than the standard library, and
the modules are found by their files, not as a package.

To add a loader: add one module here. `THROUGH` is what the loader is called; `WATCH` maps the name of
a module to the function that is called with it, and with a `Trace`, once the program has imported it;
`told(events, fetched)` makes rows `{"what", "pin", "hint"}` of the loader's events, where `fetched` has
the size and sha256 of addresses, as far as they are known. An event with `url`, and `file` for what
it was saved as, is told of there and not again as a URL.
"""
