"""Is it still the same model: feeds, alignment of outputs, comparisons, noise floor, verdict."""
