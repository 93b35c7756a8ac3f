"""Card payments: authorise, capture and look up."""
