"""Assets, as far as ops report about them."""
