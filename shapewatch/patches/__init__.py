"""Fixes as changes of the program's files.

diff       unified diffs: written, read again, carried out
changes    what stands where in a file, and what comes in its place
places     where the code of a fix belongs
"""
