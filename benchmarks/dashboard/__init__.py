"""How long pages take with a large installation behind them."""
