"""The runtimes: one module each, with a constant `RUNNER`."""
