"""Interact: conversations with customers, on every channel."""
