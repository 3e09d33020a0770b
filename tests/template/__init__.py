"""The template's claims: queues that fit functions, roles bounded by the parameters, nothing lost by accident."""
