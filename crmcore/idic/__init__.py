"""IDIC, the spine of the library: identify, differentiate, interact, customize."""
