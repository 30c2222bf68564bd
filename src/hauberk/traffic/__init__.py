"""Traffic: captures are read here, secrets are masked, and what is masked is kept and asked."""
