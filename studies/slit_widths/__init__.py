"""What changes from slit to slit with the slit width: currents, resistivity, conductance and capacitance."""
