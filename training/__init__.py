"""How the models in the package are made: what runs here is not shipped."""
