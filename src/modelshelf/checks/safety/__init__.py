"""What must not reach a user unseen: one check a module."""
