"""Continuum: the modified Poisson-Nernst-Planck equations on the slit network, reduced to a record."""
