"""Built-in model specifications (TOML)."""
