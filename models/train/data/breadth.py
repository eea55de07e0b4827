"""How many patterns and tools the data for training draws from, and how many requests follow on one list of tools."""

wide = False  # those of *_wide.py too: set by train.py; the tokenizer needs words, not patterns, and held-out texts have their own
late = 0  # 1: and lists/tools.txt, chats.txt, stories_late.txt, meanings.txt, after the first stage, so that less of them is learned by heart; 2: and tools_more.txt
