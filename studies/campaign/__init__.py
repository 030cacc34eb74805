"""Whether the chain reaches its end wherever users may go."""
