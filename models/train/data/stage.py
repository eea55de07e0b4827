"""Which stage of the training the data is for: the second knows the patterns and tools that were written for training alone."""

number = 2
