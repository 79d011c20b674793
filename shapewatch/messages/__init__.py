"""Texts of errors to explanations: the last resort of a live diagnosis, and all there is for a pasted traceback."""
