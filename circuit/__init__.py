"""Circuit: nano-circuitry and transmission line ladders driven by any `Law`."""
