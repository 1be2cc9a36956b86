"""Asset factories, one module per layer. Steps are coarse, specs are fine: an event is cheap, a step is not."""
