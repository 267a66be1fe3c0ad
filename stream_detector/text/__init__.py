"""What happens to text before and after the network: the normalized view, windows cut at sentence ends, masking."""
