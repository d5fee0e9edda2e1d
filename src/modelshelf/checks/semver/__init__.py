"""How large a step a release is: one module an area, each with its lints as `LINTS`."""
