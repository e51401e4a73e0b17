"""The parts put together: one module per published system, in the folder of the task that a user comes with."""
