"""Poses by networks that have learnt without labels what people, rigs and bodies look like."""
