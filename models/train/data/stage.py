"""Which stage of the training the data is for: the second knows the patterns and tools of *_more.py, the third those of *_wide.py too."""

number = 2
