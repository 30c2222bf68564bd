"""Traffic: captures are read here, and secrets are masked before anything is kept."""
