"""The catalogue of the shop: what there is and what it costs."""
