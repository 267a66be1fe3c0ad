"""A new model's way to deciding: looked at beside the working one, tried on a share of the keys, swapped in while events flow."""
