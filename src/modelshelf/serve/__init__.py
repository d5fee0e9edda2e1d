"""Running what is installed: one object whatever the runtime, arrays in by name, arrays out by name.

Front door: `load.open_model`. A runner is a module in `runners/` with a constant `RUNNER` that
follows `protocol.Runner`; it imports its framework only when it opens a model.
"""
