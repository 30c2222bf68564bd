"""The snapshot: everything a gateway enforces at one version, as one document that is checked before it is trusted."""
