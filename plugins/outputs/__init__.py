"""Report writers, one module per format.

A writer is made for one account and one file. It gets the findings one by one in the order of the run, writes them to a
temporary name beside the final one and renames it when it is closed. ``Writer`` has all that is common.
"""
