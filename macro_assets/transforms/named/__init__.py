"""The named transforms, one subject a module; `transforms/library.py` offers them."""
