"""Process recovery: find why cases fail, see when a process changes, and keep the records that stop it coming back."""
