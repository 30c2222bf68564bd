"""How the priors of schema learning are made: what values did next, over recordings of many APIs."""
