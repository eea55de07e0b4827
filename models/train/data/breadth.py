"""How many patterns and tools the data for training draws from."""

wide = False  # those of *_wide.py too: set by train.py; the tokenizer needs words, not patterns, and held-out texts have their own
