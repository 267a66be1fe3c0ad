"""Labelled texts without labelling: real backgrounds, written violations and look-alikes, disguises."""
