"""Molecular dynamics: staggered graphene electrodes in an aqueous salt, charged by a step, reduced to a record."""
