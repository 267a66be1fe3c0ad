"""Runs networks: model artefacts, windows of tokens, backends."""
