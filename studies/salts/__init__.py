"""One half-cell with one electrolyte after another: gamma, R_c, C_slit, and the charge that diffusion carries."""
