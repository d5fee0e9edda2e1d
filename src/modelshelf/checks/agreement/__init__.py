"""What the publisher says against what the files say: one check a module."""
