"""From which charging time on Nernst-Planck describes the atoms' currents."""
